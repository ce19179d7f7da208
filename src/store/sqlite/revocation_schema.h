// Subjects whose credentials were ended: a version of the schema of its own.
#pragma once

#include <string_view>

namespace wave::store::sqlite {

inline constexpr std::string_view kRevocationSchema = R"sql(
CREATE TABLE revoked_subject(
  subject TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER subject_is_revoked AFTER INSERT ON revoked_subject
  BEGIN UPDATE revocation SET count = count + 1; END;
CREATE TRIGGER subject_is_revoked_again AFTER UPDATE ON revoked_subject
  BEGIN UPDATE revocation SET count = count + 1; END;
)sql";

}  // namespace wave::store::sqlite
