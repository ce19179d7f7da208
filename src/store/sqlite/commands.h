// Commands: what somebody asks of a run. Rows that anybody writes and the run's owner consumes.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "store/sqlite/batch.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace wave::store::sqlite {

Result<int64_t> submit_command(Batch& batch, const Command& command);
Result<std::vector<Command>> pending_commands(Database& database, const std::string& run_id);
Result<std::vector<Asked>> asked_runs(Database& database);
Result<std::optional<Command>> gate_command(Database& database, const std::string& run_id,
                                            const std::string& gate_id);
Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates(Database& database);

}  // namespace wave::store::sqlite
