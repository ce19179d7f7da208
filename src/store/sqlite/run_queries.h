// Reading runs: one, the live ones, by prefix. Lists are in run_pages.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/sqlite/database.h"
#include "store/sqlite/rows.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// kNotFound, kPruned.
Result<StoredRun> find_run(Database& database, const std::string& run_id);
/// Only its id in the table, which is cheaper.
Result<int64_t> find_run_id(Database& database, const std::string& run_id);

Result<RunDetails> run_details(Database& database, const std::string& run_id);
Result<std::vector<LiveRun>> live_runs(Database& database, int64_t after);
Result<std::string> resolve_run(Database& database, const std::string& prefix);

}  // namespace wave::store::sqlite
