#include "server/access/access_schemas.h"

#include "server/api/schema_words.h"

namespace wave::server {
namespace {

using namespace words;

void add_login(Schemas& schemas) {
  schemas.add(
      "LoginRequest",
      request("One of both: a token, or the code of a login link.",
              {{"token", bounded_text("a JSON Web Token", 8192, 1)},
               {"code", bounded_text("what stands behind #code= in a login link", 100, 1)}}));
  schemas.add("CurrentSession",
              object("Who you are.",
                     {{"subject", text("your name")},
                      {"actor", text("as logs and audit have it")},
                      {"role", one_of("what you may do", {"viewer", "operator", "admin"})},
                      {"method", one_of("how you showed it", {"none", "jwt", "mtls", "session"})},
                      {"mode", text("how the server asks: none, jwt, mtls")},
                      {"csrf_token", nullable(text("of a session: for X-CSRF-Token"))},
                      {"expires_at", nullable(time("when it ends"))}}));
}

void add_sessions(Schemas& schemas) {
  schemas.add("SessionRow",
              object("A login of a browser.",
                     {{"id", text("names it")},
                      {"subject", text("whose")},
                      {"role", text("what it may do")},
                      {"source", one_of("what it was opened with", {"jwt", "mtls", "link"})},
                      {"address", text("from where")},
                      {"user_agent", text("with what")},
                      {"created_at", time("since when")},
                      {"expires_at", time("until when")},
                      {"current", flag("the one that asks")}}));
  schemas.add("SessionList",
              object("Logins of browsers, newest first.",
                     {{"sessions", list_of(named("SessionRow"), "those that have not ended")}}));
}

void add_revocation(Schemas& schemas) {
  json::object expires = time("when the token ends: some time after that the entry is not kept");
  schemas.add(
      "RevokeRequest",
      request("What is not to be accepted any more: one credential, or all of a subject.",
              {{"id", bounded_text("the token's jti, or a certificate's fingerprint", 256, 1)},
               {"subject",
                bounded_text("whose tokens, certificates and sessions of until now end", 256, 1)},
               {"reason", bounded_text("why", 500)},
               {"expires_at", std::move(expires)}}));
  schemas.add("RevokedToken", object("A credential that is not accepted any more.",
                                     {{"id", nullable(text("jti or fingerprint"))},
                                      {"subject", nullable(text("whose credentials of before"))},
                                      {"reason", text("why")},
                                      {"actor", text("who did it")},
                                      {"revoked_at", time("when")},
                                      {"expires_at", nullable(time("until when it is kept"))}}));
  schemas.add(
      "RevokedTokenList",
      object("Newest first.", {{"tokens", list_of(named("RevokedToken"), "those still needed")}}));
}

void add_audit(Schemas& schemas) {
  schemas.add("AuditEntry",
              object("A call that wanted to change something, or a login.",
                     {{"id", integer("counts from 1, without holes", 1)},
                      {"at", time("when")},
                      {"actor", text("who")},
                      {"address", text("from where")},
                      {"action", text("the operation's id")},
                      {"target", text("on what")},
                      {"outcome", one_of("what came of it", {"ok", "refused", "failed"})},
                      {"status", integer("of HTTP")},
                      {"detail", text("code of the problem, request id")},
                      {"previous", text("hash of the entry before")},
                      {"hash", text("SHA-256 over previous and the members")}}));
  schemas.add("AuditPage", page_of("entries", "AuditEntry"));
  schemas.add("AuditCheck", object("What a walk along the chain found.",
                                   {{"intact", flag("every entry follows the one before")},
                                    {"entries", integer("how many fit")},
                                    {"head", text("hash of the last one")},
                                    {"broken_at", nullable(integer("first that does not fit", 1))},
                                    {"problem", nullable(text("what is wrong with it"))}}));
}

}  // namespace

void add_access_schemas(Schemas& schemas) {
  add_login(schemas);
  add_sessions(schemas);
  add_revocation(schemas);
  add_audit(schemas);
}

}  // namespace wave::server
