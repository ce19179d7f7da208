// What access to the server keeps: sessions of browsers, codes of login links, revoked tokens, and
// the audit log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace wave::store {

struct Session {
  std::string id;           // public: lists and revocations name it
  std::string secret_hash;  // SHA-256 of what the cookie holds; the secret itself is not stored
  std::string subject, role;
  std::string source;    // how its owner logged in: "jwt", "mtls", "link"
  std::string token_id;  // the jti of the token that it came from; its revocation ends it too
  std::string csrf_token;
  std::string address, user_agent;
  WallTime created_at{}, expires_at{};
};

/// A single-use code of a login link.
struct LoginCode {
  std::string code_hash;  // SHA-256 of the code
  std::string subject, role;
  WallTime expires_at{};
};

/// One credential, or all of a subject that were issued before `revoked_at`.
struct RevokedToken {
  std::string id;       // jti of a token, or fingerprint of a certificate; empty: all of `subject`
  std::string subject;  // empty: the one with `id`
  std::string reason, actor;
  WallTime revoked_at{};
  std::optional<WallTime> expires_at;  // from then on the entry is not needed
};

/// One line of the audit log. `hash` is SHA-256 over `previous` and the other members (audit_hash),
/// so that nothing can be changed or removed in between without it showing.
struct AuditEntry {
  int64_t id = 0;
  WallTime at{};
  std::string actor;    // "jwt:ci-bot", "anonymous"
  std::string address;  // where the call came from
  std::string action;   // "startRun", "login": the route's operation id
  std::string target;   // method and path
  std::string outcome;  // "ok", "refused", "failed"
  int status = 0;       // of HTTP; 0: not a call
  std::string detail;   // the code or reason of what was refused, request id
  std::string previous, hash;
};

/// The entry's hash, made of everything but `hash` itself.
std::string audit_hash(const AuditEntry& entry);

struct AuditFilter {
  int64_t before = 0;  // id; 0: from the newest on
  std::string actor, action, outcome;
  size_t limit = 100;  // at most 1000
};

/// What a walk along the chain found.
struct AuditCheck {
  int64_t entries = 0;
  std::string head;       // hash of the last entry: written down elsewhere it shows a cut-off end
  int64_t broken_at = 0;  // id of the first entry that does not fit; 0: all do
  std::string problem;
};

/// Times are the caller's. Thread: any. What changes something is durable when it returns.
class AccessStore {
 public:
  virtual ~AccessStore() = default;

  /// Removes what has expired on the way. At most 10,000 sessions are kept: kLimit beyond.
  virtual Status add_session(const Session& session) = 0;
  /// By the hash of the cookie's secret; nothing when there is none or it has expired.
  virtual Result<std::optional<Session>> session(const std::string& secret_hash, WallTime now) = 0;
  /// Newest first; those that have not expired.
  virtual Result<std::vector<Session>> sessions(WallTime now) = 0;
  /// Whether there is one with this id that has not expired.
  virtual Result<bool> has_session(const std::string& id, WallTime now) = 0;
  /// kNotFound when there is none.
  virtual Status remove_session(const std::string& id) = 0;

  virtual Status add_login_code(const LoginCode& code, WallTime now) = 0;
  /// Takes the code out: it is good once. Nothing when it is unknown, used or too old.
  virtual Result<std::optional<LoginCode>> take_login_code(const std::string& code_hash,
                                                           WallTime now) = 0;

  /// Ends the sessions that came from the token, too; of a subject its sessions and login links.
  virtual Status revoke_token(const RevokedToken& token, WallTime now) = 0;
  /// A number that changes when a token was revoked or a session has gone, whichever process did
  /// it.
  virtual Result<int64_t> revocation_mark() = 0;
  /// Newest first; those that are still needed.
  virtual Result<std::vector<RevokedToken>> revoked_tokens(WallTime now) = 0;

  /// Stores the entry at the end of the chain; `id`, `previous` and `hash` are made here.
  virtual Result<AuditEntry> append_audit(AuditEntry entry) = 0;
  /// Newest first.
  virtual Result<std::vector<AuditEntry>> audit(const AuditFilter& filter) = 0;
  virtual Result<AuditCheck> verify_audit() = 0;
};

}  // namespace wave::store
