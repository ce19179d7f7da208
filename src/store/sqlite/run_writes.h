// Writes to the table run and what hangs on its key.
#pragma once

#include <optional>
#include <string>

#include "store/sqlite/batch.h"

namespace wave::store::sqlite {

/// The run an idempotency key stands for, if it has been used.
Result<std::optional<std::string>> earlier_run(Database& database, const std::string& key,
                                               const std::string& request_hash);
/// Runs are accepted in the order in which they are stored. Between looking at the clock and
/// arriving in the store one submit may overtake another (a large snapshot takes longer): the times
/// follow the order, so that everybody who sorts by either sees the same queue (promise Q2).
/// Nothing: the run's own times do.
Result<std::optional<NewRun>> accepted_later(Database& database, const NewRun& run);
Status insert_idempotency(Database& database, int64_t run, const std::string& key,
                          const std::string& request_hash);
/// Raises the epochs, in the order of the runs.
Result<std::vector<int64_t>> raise_epochs(Batch& batch, std::span<const TakeOver> runs);
/// The count after it.
Result<int> write_fold_note(Batch& batch, const std::string& run_id, bool finished);

}  // namespace wave::store::sqlite
