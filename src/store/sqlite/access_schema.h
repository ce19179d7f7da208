// The tables of access/: sessions, codes, revoked tokens, audit.
#pragma once

#include <string_view>

namespace wave::store::sqlite {

inline constexpr std::string_view kAccessSchema = R"sql(
CREATE TABLE session(
  id TEXT PRIMARY KEY,
  secret_hash TEXT NOT NULL UNIQUE,
  subject TEXT NOT NULL,
  role TEXT NOT NULL,
  source TEXT NOT NULL,
  token_id TEXT NOT NULL,
  csrf_token TEXT NOT NULL,
  address TEXT NOT NULL,
  user_agent TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_end ON session(expires_at);

CREATE TABLE login_code(
  code_hash TEXT PRIMARY KEY,
  subject TEXT NOT NULL,
  role TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked_token(
  id TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT, WITHOUT ROWID;

-- Counts what ends somebody's access before its time.
CREATE TABLE revocation(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  count INTEGER NOT NULL
) STRICT;
INSERT INTO revocation(one, count) VALUES(1, 0);
CREATE TRIGGER session_has_gone AFTER DELETE ON session
  BEGIN UPDATE revocation SET count = count + 1; END;
CREATE TRIGGER token_is_revoked AFTER INSERT ON revoked_token
  BEGIN UPDATE revocation SET count = count + 1; END;

-- Only ever added to: triggers refuse the rest, and the chain of hashes shows who went around them.
CREATE TABLE audit(
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL,
  status INTEGER NOT NULL,
  detail TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
)sql";

}  // namespace wave::store::sqlite
