// Rows of sessions, login codes, revoked tokens and the audit log. Internal to sqlite/.
#pragma once

#include "store/access_store.h"
#include "store/sqlite/database.h"

namespace wave::store::sqlite {

Status add_session(Database& database, const Session& session);
Result<std::optional<Session>> find_session(Database& database, const std::string& secret_hash,
                                            WallTime now);
Result<std::vector<Session>> list_sessions(Database& database, WallTime now);
Result<bool> has_session(Database& database, const std::string& id, WallTime now);
Result<int64_t> revocation_mark(Database& database);
Status remove_session(Database& database, const std::string& id);

Status add_login_code(Database& database, const LoginCode& code, WallTime now);
Result<std::optional<LoginCode>> take_login_code(Database& database, const std::string& code_hash,
                                                 WallTime now);

Status revoke_token(Database& database, const RevokedToken& token, WallTime now);
Result<std::vector<RevokedToken>> list_revoked(Database& database, WallTime now);

Result<AuditEntry> append_audit(Database& database, AuditEntry entry);
Result<std::vector<AuditEntry>> list_audit(Database& database, const AuditFilter& filter);
Result<AuditCheck> verify_audit(Database& database);

}  // namespace wave::store::sqlite
