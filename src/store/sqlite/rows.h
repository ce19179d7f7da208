// Projections' rows to and from the tables.
#pragma once

#include <string_view>

#include "flow/projection.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// What read_run expects, to stand between SELECT and WHERE.
inline constexpr std::string_view kSelectRun =
    "SELECT run.id, run_id, pipeline, status, actor, origin_run_id, snapshot, owner_epoch,"
    " crash_folds, resuming, waiting_reason, failed_step, error_code, error_message, queued_at,"
    " started_at, finished_at, updated_at, steps_total, steps_done, tokens_in, tokens_out,"
    " tokens_cache_read, tokens_cache_write, cost_usd, run_start.input, run_start.tags,"
    " (SELECT max(seq) FROM event WHERE event.run = run.id), accepted_at"
    " FROM run JOIN run_start ON run_start.run = run.id ";

/// A row of the table run, with what only the store knows.
struct StoredRun {
  int64_t id = 0;
  RunDetails details;  // row, snapshot, owner_epoch and crash_folds only
  WallTime accepted_at{};
};
Result<StoredRun> read_run(const Query& row);

Result<std::vector<flow::StepRow>> read_steps(Database& database, int64_t run);
Result<std::vector<flow::GateRow>> read_gates(Database& database, int64_t run);
Result<std::vector<flow::Artifact>> read_artifacts(Database& database, int64_t run);
Result<std::vector<SpoolMark>> read_spool_marks(Database& database, int64_t run);

/// "gate.gate_id, ..." as read_gate expects them from column `first` on.
inline constexpr std::string_view kGateColumns =
    "gate.gate_id, gate.step, type, prompt, choices, freeform, default_choice, resolved, outcome,"
    " choice, text, decided_by, via, opened_at, deadline, decided_at,"
    " approvers, forbid_self_approval";
Result<flow::GateRow> read_gate(const Query& row, int first);

/// The row as it was created; `id` is given by SQLite and returned.
Result<int64_t> insert_run(Database& database, const NewRun& run, WallTime accepted_at);
/// What may change in a run's row; its input, tags, pipeline, actor and origin never do.
Status update_run(Database& database, int64_t run, const flow::RunRow& row);
Status put_step(Database& database, int64_t run, const flow::StepRow& row);
/// `run_is_over`: nobody waits for it any more.
Status put_gate(Database& database, int64_t run, const flow::GateRow& row, bool run_is_over);
/// Writes the row and the reference that keeps its bytes.
Status put_artifact(Database& database, int64_t run, const flow::Artifact& artifact);
Status put_spool_mark(Database& database, int64_t run, const SpoolMark& mark);
Status put_blob_reference(Database& database, int64_t run, std::string_view sha256);

/// Whether a status word of a row is one that a run never leaves.
bool is_terminal_status(std::string_view status);

}  // namespace wave::store::sqlite
