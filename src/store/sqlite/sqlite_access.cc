// The part of SqliteStore that keeps sessions, revoked tokens and the audit log.
#include "store/sqlite/access_rows.h"
#include "store/sqlite/sqlite_store.h"

namespace wave::store::sqlite {

Status SqliteStore::add_session(const Session& session) {
  return write_as_server(
      [&](Batch& batch) { return sqlite::add_session(batch.database(), session); });
}

Result<std::optional<Session>> SqliteStore::session(const std::string& secret_hash, WallTime now) {
  return read([&](Database& reader) { return find_session(reader, secret_hash, now); });
}

Result<std::vector<Session>> SqliteStore::sessions(WallTime now) {
  return read([&](Database& reader) { return list_sessions(reader, now); });
}

Result<bool> SqliteStore::has_session(const std::string& id, WallTime now) {
  return read([&](Database& reader) { return sqlite::has_session(reader, id, now); });
}

Result<int64_t> SqliteStore::revocation_mark() {
  return read([&](Database& reader) { return sqlite::revocation_mark(reader); });
}

Status SqliteStore::remove_session(const std::string& id) {
  return write_as_server(
      [&](Batch& batch) { return sqlite::remove_session(batch.database(), id); });
}

Status SqliteStore::add_login_code(const LoginCode& code, WallTime now) {
  WAVE_CHECK(write(AddLoginCode{code, now}));
  return {};
}

Result<std::optional<LoginCode>> SqliteStore::take_login_code(const std::string& code_hash,
                                                              WallTime now) {
  std::optional<LoginCode> taken;
  WAVE_CHECK(write_as_server([&](Batch& batch) -> Status {
    WAVE_TRY(taken, sqlite::take_login_code(batch.database(), code_hash, now));
    return {};
  }));
  return taken;
}

Status SqliteStore::revoke_token(const RevokedToken& token, WallTime now) {
  WAVE_CHECK(write(RevokeToken{token, now}));
  return {};
}

Result<std::vector<RevokedToken>> SqliteStore::revoked_tokens(WallTime now) {
  return read([&](Database& reader) { return list_revoked(reader, now); });
}

Result<AuditEntry> SqliteStore::append_audit(AuditEntry entry) {
  WAVE_TRY(WriteAnswer answer, write(std::move(entry)));
  return std::move(answer.entry);
}

Result<std::vector<AuditEntry>> SqliteStore::audit(const AuditFilter& filter) {
  return read([&](Database& reader) { return list_audit(reader, filter); });
}

Result<AuditCheck> SqliteStore::verify_audit() {
  return read([&](Database& reader) { return sqlite::verify_audit(reader); });
}

}  // namespace wave::store::sqlite
