// Rows of the route table: login, sessions, revocation, audit.
#include <charconv>

#include "auth/credential_id.h"
#include "base/log.h"
#include "server/access/authenticators.h"
#include "server/access/doorkeeper.h"
#include "server/access/login_page.h"
#include "server/route.h"
#include "server/web/assets.h"

namespace wave::server {
namespace {

using access::Doorkeeper;
using auth::Role;

Result<std::shared_ptr<Doorkeeper>> door(Call& call) {
  if (call.services.access != nullptr) return call.services.access->doorkeeper();
  return fail(Code::kUnsupported, "this server has no door");
}

json::value time_or_null(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

http::Response no_store(http::Response response) {
  response.headers.set("Cache-Control", "no-store");
  return response;
}

json::object who(const auth::Identity& identity, const std::string& mode) {
  return {{"subject", identity.subject},
          {"actor", identity.actor()},
          {"role", auth::to_string(identity.role)},
          {"method", auth::to_string(identity.method)},
          {"mode", mode},
          {"csrf_token",
           identity.csrf_token.empty() ? json::value(nullptr) : json::value(identity.csrf_token)},
          {"expires_at", time_or_null(identity.expires_at)}};
}

// The router's entry of a login does not know who it was.
void note_login(Doorkeeper& keeper, Call& call, const auth::Identity& identity) {
  const Status noted = keeper.record({.at = keeper.now(),
                                      .request_id = call.request.id,
                                      .actor = identity.actor(),
                                      .role = std::string(auth::to_string(identity.role)),
                                      .source = keeper.client_address(call.request),
                                      .operation = "loggedIn",
                                      .target = call.request.path,
                                      .status = 200,
                                      .code = {}});
  if (!noted) log::error("the audit log cannot be written: {}", full_message(noted.error()));
}

Result<http::Response> log_in(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  if (keeper->mode() == "none") {
    return fail(Code::kConflict, "nobody has to log in here: the server asks for no credential");
  }
  const json::object& body = call.body.as_object();
  const std::string_view token = get_string(body, "token");
  const std::string_view code = get_string(body, "code");
  if (token.empty() == code.empty()) {
    return fail(Code::kUsage, "a login has a token or a code", "send {\"token\": \"...\"}");
  }
  const auto wait = keeper->locked(call.request, token);
  const auto checked = token.empty() ? keeper->take_code(code, call.request)
                                     : keeper->check_token(token, call.request);
  if (!checked && wait) return keeper->slow_down(call.request, *wait);
  if (!checked) return fail(checked.error());
  const auth::Identity& identity = *checked;
  WAVE_TRY(const access::NewSession made,
           keeper->open_session(identity, token.empty() ? "link" : "jwt", call.request));
  const auth::Identity session = access::identity_of(made.session);
  note_login(*keeper, call, session);
  http::Response response = json_response(who(session, keeper->mode()));
  response.headers.add("Set-Cookie",
                       access::set_cookie(made.secret, made.session.expires_at - keeper->now(),
                                          keeper->tls(), keeper->base_path()));
  return no_store(std::move(response));
}

Result<http::Response> log_out(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  if (call.identity.method == auth::Method::kSession) {
    WAVE_CHECK(keeper->end_session(call.identity.token_id));
  }
  http::Response response{.status = 204, .headers = {}, .body = std::string()};
  response.headers.add("Set-Cookie",
                       access::set_cookie("", Millis(0), keeper->tls(), keeper->base_path()));
  return no_store(std::move(response));
}

Result<http::Response> get_session(Call& call) {
  return no_store(json_response(who(call.identity, call.services.authenticator.mode())));
}

Result<http::Response> list_sessions(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  WAVE_TRY(const auto sessions, keeper->sessions());
  json::array rows;
  for (const store::Session& session : sessions) {
    rows.push_back(json::object{{"id", session.id},
                                {"subject", session.subject},
                                {"role", session.role},
                                {"source", session.source},
                                {"address", session.address},
                                {"user_agent", session.user_agent},
                                {"created_at", format_time(session.created_at)},
                                {"expires_at", format_time(session.expires_at)},
                                {"current", call.identity.method == auth::Method::kSession &&
                                                session.id == call.identity.token_id}});
  }
  return no_store(json_response(json::object{{"sessions", std::move(rows)}}));
}

Result<http::Response> end_session(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  WAVE_CHECK(keeper->end_session(call.text("id")));
  return http::Response{.status = 204, .headers = {}, .body = std::string()};
}

Result<http::Response> revoke(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  const json::object& body = call.body.as_object();
  const std::string subject(get_string(body, "subject"));
  if (body.contains("id") != subject.empty()) {
    return fail(Code::kUsage, "a revocation names an id or a subject",
                "send {\"id\": \"...\"} or {\"subject\": \"...\"}");
  }
  std::string id;
  if (subject.empty()) {
    WAVE_TRY(id, auth::credential_id(get_string(body, "id")));
  } else if (body.contains("expires_at")) {
    return fail(Code::kUsage, "the revocation of a subject does not end", "leave expires_at out");
  }
  store::RevokedToken token{.id = std::move(id),
                            .subject = subject,
                            .reason = std::string(get_string(body, "reason")),
                            .actor = call.identity.actor(),
                            .revoked_at = keeper->now(),
                            .expires_at = {}};
  if (const json::value* expires = find(body, "expires_at")) {
    token.expires_at = parse_time(expires->is_string() ? expires->as_string() : json::string());
    if (!token.expires_at) return fail(Code::kUsage, "expires_at is no time", "write RFC 3339");
  }
  WAVE_CHECK(keeper->revoke(token));
  return http::Response{.status = 204, .headers = {}, .body = std::string()};
}

Result<http::Response> list_revoked(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  WAVE_TRY(const auto tokens, keeper->revoked());
  json::array rows;
  for (const store::RevokedToken& token : tokens) {
    rows.push_back(json::object{{"id", text_or_null(token.id)},
                                {"subject", text_or_null(token.subject)},
                                {"reason", token.reason},
                                {"actor", token.actor},
                                {"revoked_at", format_time(token.revoked_at)},
                                {"expires_at", time_or_null(token.expires_at)}});
  }
  return no_store(json_response(json::object{{"tokens", std::move(rows)}}));
}

json::object audit_row(const store::AuditEntry& entry) {
  return {{"id", entry.id},           {"at", format_time(entry.at)},
          {"actor", entry.actor},     {"address", entry.address},
          {"action", entry.action},   {"target", entry.target},
          {"outcome", entry.outcome}, {"status", entry.status},
          {"detail", entry.detail},   {"previous", entry.previous},
          {"hash", entry.hash}};
}

Result<http::Response> list_audit(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  const auto limit = static_cast<size_t>(call.integer("limit", 100));
  int64_t before = 0;
  const std::string cursor = call.text("cursor");
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
  if (!cursor.empty() &&
      (error != std::errc() || end != cursor.data() + cursor.size() || before < 1)) {
    return fail(Code::kUsage, "the cursor is not one of ours",
                "use next_cursor of the page before");
  }
  WAVE_TRY(const auto entries, keeper->store().audit({.before = before,
                                                      .actor = call.text("actor"),
                                                      .action = call.text("action"),
                                                      .outcome = call.text("outcome"),
                                                      .limit = limit}));
  json::array rows;
  for (const store::AuditEntry& entry : entries) rows.push_back(audit_row(entry));
  const bool more = entries.size() == limit && entries.back().id > 1;
  return no_store(json_response(json::object{
      {"entries", std::move(rows)},
      {"next_cursor", more ? json::value(std::to_string(entries.back().id)) : json::value(nullptr)},
      {"has_more", more}}));
}

Result<http::Response> verify_audit(Call& call) {
  WAVE_TRY(const auto keeper, door(call));
  WAVE_TRY(const auto check, keeper->store().verify_audit());
  const bool intact = check.broken_at == 0;
  return no_store(json_response(
      json::object{{"intact", intact},
                   {"entries", check.entries},
                   {"head", check.head},
                   {"broken_at", intact ? json::value(nullptr) : json::value(check.broken_at)},
                   {"problem", intact ? json::value(nullptr) : json::value(check.problem)}}));
}

void add_login_rows(RouteTable& table) {
  table.add({.method = "POST",
             .path = "/api/login",
             .operation_id = "logIn",
             .tag = "access",
             .summary = "Opens a session for a browser with a token or a login link's code.",
             .role = Role::kNobody,
             .request_schema = "LoginRequest",
             .response_schema = "CurrentSession",
             .body_limit = 16 << 10,
             .handler = log_in});
  table.add({.method = "POST",
             .path = "/api/logout",
             .operation_id = "logOut",
             .tag = "access",
             .summary = "Ends the session that asks.",
             .role = Role::kNobody,
             .success = 204,
             .handler = log_out});
  table.add({.method = "GET",
             .path = "/api/session",
             .operation_id = "getSession",
             .tag = "access",
             .summary = "Who you are and what you may do.",
             .role = Role::kViewer,
             .response_schema = "CurrentSession",
             .handler = get_session});
}

void add_session_rows(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/api/sessions",
             .operation_id = "listSessions",
             .tag = "access",
             .summary = "Logins of browsers.",
             .role = Role::kAdmin,
             .response_schema = "SessionList",
             .handler = list_sessions});
  table.add({.method = "DELETE",
             .path = "/api/sessions/{id}",
             .operation_id = "endSession",
             .tag = "access",
             .summary = "Ends a login, with its open streams.",
             .role = Role::kAdmin,
             .success = 204,
             .handler = end_session});
  table.add({.method = "POST",
             .path = "/api/tokens/revoke",
             .operation_id = "revokeToken",
             .tag = "access",
             .summary =
                 "Ends a token or certificate before its time, or all of a subject that were "
                 "issued until now, with their sessions and open streams.",
             .role = Role::kAdmin,
             .request_schema = "RevokeRequest",
             .success = 204,
             .handler = revoke});
  table.add({.method = "GET",
             .path = "/api/tokens/revoked",
             .operation_id = "listRevokedTokens",
             .tag = "access",
             .summary = "Tokens and certificates that are not accepted any more.",
             .role = Role::kAdmin,
             .response_schema = "RevokedTokenList",
             .handler = list_revoked});
}

void add_audit_rows(RouteTable& table) {
  table.add(
      {.method = "GET",
       .path = "/api/audit",
       .operation_id = "listAudit",
       .tag = "access",
       .summary = "Who changed what, newest first.",
       .role = Role::kAdmin,
       .query = {{.name = "limit",
                  .schema = {{"type", "integer"}, {"minimum", 1}, {"maximum", 1000}},
                  .description = "how many"},
                 {.name = "cursor",
                  .schema = {{"type", "string"}},
                  .description = "next_cursor of the page before"},
                 {.name = "actor", .schema = {{"type", "string"}}, .description = "who"},
                 {.name = "action",
                  .schema = {{"type", "string"}},
                  .description = "the operation's id"},
                 {.name = "outcome",
                  .schema = {{"type", "string"}, {"enum", json::array{"ok", "refused", "failed"}}},
                  .description = "what came of it"}},
       .response_schema = "AuditPage",
       .handler = list_audit});
  table.add({.method = "GET",
             .path = "/api/audit/verify",
             .operation_id = "verifyAudit",
             .tag = "access",
             .summary = "Whether the audit log is whole.",
             .role = Role::kAdmin,
             .response_schema = "AuditCheck",
             .handler = verify_audit});
}

}  // namespace

void add_access_routes(RouteTable& table) {
  add_login_rows(table);
  add_session_rows(table);
  add_audit_rows(table);
  // The browser application has a login page of its own.
  if (!web::has_application()) access::add_login_page(table);
}

}  // namespace wave::server
