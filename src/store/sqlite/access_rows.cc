#include "store/sqlite/access_rows.h"

#include <fmt/format.h>

#include <algorithm>

namespace wave::store::sqlite {
namespace {

constexpr int64_t kMaxSessions = 10'000;
constexpr int64_t kMaxCodes = 1'000;
constexpr int64_t kMaxRevoked = 100'000;
constexpr size_t kMaxAuditPage = 1'000;

constexpr std::string_view kSessionColumns =
    "SELECT id, secret_hash, subject, role, source, token_id, csrf_token, address, user_agent,"
    " created_at, expires_at FROM session ";

Session read_session(const Query& row) {
  return {.id = row.string(0),
          .secret_hash = row.string(1),
          .subject = row.string(2),
          .role = row.string(3),
          .source = row.string(4),
          .token_id = row.string(5),
          .csrf_token = row.string(6),
          .address = row.string(7),
          .user_agent = row.string(8),
          .created_at = row.time(9),
          .expires_at = row.time(10)};
}

constexpr std::string_view kAuditColumns =
    "SELECT id, at, actor, address, action, target, outcome, status, detail, previous, hash"
    " FROM audit ";

AuditEntry read_audit(const Query& row) {
  return {.id = row.integer(0),
          .at = row.time(1),
          .actor = row.string(2),
          .address = row.string(3),
          .action = row.string(4),
          .target = row.string(5),
          .outcome = row.string(6),
          .status = static_cast<int>(row.integer(7)),
          .detail = row.string(8),
          .previous = row.string(9),
          .hash = row.string(10)};
}

Status check_room(Database& database, std::string_view count, int64_t most, std::string_view what) {
  WAVE_TRY(const int64_t there, database.integer(count));
  if (there < most) return {};
  return fail(Code::kLimit, fmt::format("there are {} {} already", there, what),
              "wait until some have ended, or revoke some");
}

Status remove_ended(Database& database, std::string_view sql, WallTime now) {
  WAVE_TRY(Query remove, database.query(sql));
  return remove.bind(now).run();
}

Status revoke_subject(Database& database, const RevokedToken& token) {
  WAVE_CHECK(check_room(database, "SELECT count(*) FROM revoked_subject", kMaxRevoked,
                        "revoked subjects"));
  // A clock that was set back does not bring back what was ended before.
  WAVE_TRY(Query insert,
           database.query("INSERT INTO revoked_subject(subject, reason, actor, revoked_at)"
                          " VALUES(?1, ?2, ?3, ?4) ON CONFLICT(subject) DO UPDATE SET"
                          " reason = excluded.reason, actor = excluded.actor,"
                          " revoked_at = max(revoked_at, excluded.revoked_at)"));
  WAVE_CHECK(insert.bind(token.subject, token.reason, token.actor, token.revoked_at).run());
  WAVE_TRY(Query sessions, database.query("DELETE FROM session WHERE subject = ?1"));
  WAVE_CHECK(sessions.bind(token.subject).run());
  WAVE_TRY(Query codes, database.query("DELETE FROM login_code WHERE subject = ?1"));
  return codes.bind(token.subject).run();
}

}  // namespace

Status add_session(Database& database, const Session& session) {
  WAVE_CHECK(
      remove_ended(database, "DELETE FROM session WHERE expires_at <= ?1", session.created_at));
  WAVE_CHECK(check_room(database, "SELECT count(*) FROM session", kMaxSessions, "sessions"));
  WAVE_TRY(Query insert,
           database.query("INSERT INTO session(id, secret_hash, subject, role, source, token_id,"
                          " csrf_token, address, user_agent, created_at, expires_at)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"));
  return insert
      .bind(session.id, session.secret_hash, session.subject, session.role, session.source,
            session.token_id, session.csrf_token, session.address, session.user_agent,
            session.created_at, session.expires_at)
      .run();
}

Result<std::optional<Session>> find_session(Database& database, const std::string& secret_hash,
                                            WallTime now) {
  WAVE_TRY(Query query, database.query(fmt::format("{}WHERE secret_hash = ?1 AND expires_at > ?2",
                                                   kSessionColumns)));
  WAVE_TRY(const bool row, query.bind(secret_hash, now).next());
  return row ? std::optional(read_session(query)) : std::nullopt;
}

Result<std::vector<Session>> list_sessions(Database& database, WallTime now) {
  WAVE_TRY(Query query, database.query(fmt::format(
                            "{}WHERE expires_at > ?1 ORDER BY created_at DESC, id LIMIT 10000",
                            kSessionColumns)));
  query.bind(now);
  std::vector<Session> sessions;
  while (true) {
    WAVE_TRY(const bool row, query.next());
    if (!row) return sessions;
    sessions.push_back(read_session(query));
  }
}

Result<bool> has_session(Database& database, const std::string& id, WallTime now) {
  WAVE_TRY(Query query, database.query("SELECT 1 FROM session WHERE id = ?1 AND expires_at > ?2"));
  return query.bind(id, now).next();
}

Result<int64_t> revocation_mark(Database& database) {
  WAVE_TRY(Query query, database.query("SELECT count FROM revocation"));
  WAVE_TRY(const bool row, query.bind().next());
  return row ? query.integer(0) : 0;
}

Status remove_session(Database& database, const std::string& id) {
  WAVE_TRY(Query remove, database.query("DELETE FROM session WHERE id = ?1 RETURNING id"));
  WAVE_TRY(const bool row, remove.bind(id).next());
  if (!row)
    return fail(Code::kNotFound, "there is no such session", "GET /api/sessions lists them");
  return remove.run();
}

Status add_login_code(Database& database, const LoginCode& code, WallTime now) {
  WAVE_CHECK(remove_ended(database, "DELETE FROM login_code WHERE expires_at <= ?1", now));
  WAVE_CHECK(check_room(database, "SELECT count(*) FROM login_code", kMaxCodes, "login links"));
  WAVE_TRY(Query insert, database.query("INSERT INTO login_code(code_hash, subject, role,"
                                        " expires_at) VALUES(?1, ?2, ?3, ?4)"));
  return insert.bind(code.code_hash, code.subject, code.role, code.expires_at).run();
}

Result<std::optional<LoginCode>> take_login_code(Database& database, const std::string& code_hash,
                                                 WallTime now) {
  WAVE_TRY(Query take, database.query("DELETE FROM login_code WHERE code_hash = ?1"
                                      " RETURNING code_hash, subject, role, expires_at"));
  WAVE_TRY(const bool row, take.bind(code_hash).next());
  if (!row) return std::nullopt;
  LoginCode code{.code_hash = take.string(0),
                 .subject = take.string(1),
                 .role = take.string(2),
                 .expires_at = take.time(3)};
  WAVE_CHECK(take.run());
  if (code.expires_at <= now) return std::nullopt;
  return code;
}

Status revoke_token(Database& database, const RevokedToken& token, WallTime now) {
  if (!token.subject.empty()) return revoke_subject(database, token);
  WAVE_CHECK(remove_ended(
      database, "DELETE FROM revoked_token WHERE expires_at IS NOT NULL AND expires_at <= ?1",
      now));
  WAVE_CHECK(
      check_room(database, "SELECT count(*) FROM revoked_token", kMaxRevoked, "revoked tokens"));
  WAVE_TRY(Query insert,
           database.query("INSERT INTO revoked_token(id, reason, actor, revoked_at, expires_at)"
                          " VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO NOTHING"));
  WAVE_CHECK(
      insert.bind(token.id, token.reason, token.actor, token.revoked_at, token.expires_at).run());
  WAVE_TRY(Query end, database.query("DELETE FROM session WHERE token_id = ?1"));
  return end.bind(token.id).run();
}

Result<std::vector<RevokedToken>> list_revoked(Database& database, WallTime now) {
  WAVE_TRY(Query query,
           database.query("SELECT id, '', reason, actor, revoked_at, expires_at FROM revoked_token"
                          " WHERE expires_at IS NULL OR expires_at > ?1 UNION ALL"
                          " SELECT '', subject, reason, actor, revoked_at, NULL"
                          " FROM revoked_subject ORDER BY 5 DESC, 1, 2"));
  query.bind(now);
  std::vector<RevokedToken> tokens;
  while (true) {
    WAVE_TRY(const bool row, query.next());
    if (!row) return tokens;
    tokens.push_back({.id = query.string(0),
                      .subject = query.string(1),
                      .reason = query.string(2),
                      .actor = query.string(3),
                      .revoked_at = query.time(4),
                      .expires_at = query.optional_time(5)});
  }
}

Result<AuditEntry> append_audit(Database& database, AuditEntry entry) {
  {
    WAVE_TRY(Query last, database.query("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"));
    WAVE_TRY(const bool row, last.bind().next());
    entry.id = row ? last.integer(0) + 1 : 1;
    entry.previous = row ? last.string(1) : std::string();
  }
  entry.hash = audit_hash(entry);
  WAVE_TRY(Query insert,
           database.query("INSERT INTO audit(id, at, actor, address, action, target, outcome,"
                          " status, detail, previous, hash)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"));
  WAVE_CHECK(insert
                 .bind(entry.id, entry.at, entry.actor, entry.address, entry.action, entry.target,
                       entry.outcome, entry.status, entry.detail, entry.previous, entry.hash)
                 .run());
  return entry;
}

Result<std::vector<AuditEntry>> list_audit(Database& database, const AuditFilter& filter) {
  WAVE_TRY(Query query,
           database.query(fmt::format("{}WHERE (?1 = 0 OR id < ?1) AND (?2 = '' OR actor = ?2)"
                                      " AND (?3 = '' OR action = ?3) AND (?4 = '' OR outcome = ?4)"
                                      " ORDER BY id DESC LIMIT ?5",
                                      kAuditColumns)));
  query.bind(filter.before, filter.actor, filter.action, filter.outcome,
             std::clamp<size_t>(filter.limit, 1, kMaxAuditPage));
  std::vector<AuditEntry> entries;
  while (true) {
    WAVE_TRY(const bool row, query.next());
    if (!row) return entries;
    entries.push_back(read_audit(query));
  }
}

Result<AuditCheck> verify_audit(Database& database) {
  AuditCheck check;
  int64_t after = 0;
  // In pages: no read transaction outlives one of them (design: storage).
  while (true) {
    WAVE_TRY(Query query,
             database.query(fmt::format("{}WHERE id > ?1 ORDER BY id LIMIT ?2", kAuditColumns)));
    query.bind(after, kMaxAuditPage);
    size_t rows = 0;
    while (true) {
      WAVE_TRY(const bool row, query.next());
      if (!row) break;
      ++rows;
      const AuditEntry entry = read_audit(query);
      const char* problem = entry.id != after + 1             ? "entries before it are missing"
                            : entry.previous != check.head    ? "it does not follow the one before"
                            : entry.hash != audit_hash(entry) ? "it was changed"
                                                              : nullptr;
      if (problem != nullptr) {
        check.broken_at = entry.id;
        check.problem = problem;
        return check;
      }
      after = entry.id;
      check.head = entry.hash;
      ++check.entries;
    }
    if (rows < kMaxAuditPage) return check;
  }
}

}  // namespace wave::store::sqlite
