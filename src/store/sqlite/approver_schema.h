// Who may answer a gate: a version of the schema of its own.
#pragma once

#include <string_view>

namespace wave::store::sqlite {

/// Gates of older versions name nobody, so that everybody may answer them, as before.
inline constexpr std::string_view kApproverSchema = R"sql(
ALTER TABLE gate ADD COLUMN approvers TEXT NOT NULL DEFAULT '[]';
ALTER TABLE gate ADD COLUMN forbid_self_approval INTEGER NOT NULL DEFAULT 0;
)sql";

}  // namespace wave::store::sqlite
