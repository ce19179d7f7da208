#include "store/sqlite/run_queries.h"

#include <fmt/core.h>

#include "base/text.h"
#include "store/sqlite/batch.h"

namespace wave::store::sqlite {
namespace {

std::vector<std::string> live_statuses() {
  std::vector<std::string> words;
  for (const auto status :
       {flow::RunStatus::kQueued, flow::RunStatus::kRunning, flow::RunStatus::kWaiting}) {
    words.emplace_back(flow::to_string(status));
  }
  return words;
}

/// The least text that comes after every text with this prefix; empty when there is none.
std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

}  // namespace

Result<StoredRun> find_run(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query(fmt::format("{}WHERE run_id = ?1", kSelectRun)));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) return fail(missing_run(database, run_id));
  return read_run(query);
}

Result<int64_t> find_run_id(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query("SELECT id FROM run WHERE run_id = ?1"));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) return fail(missing_run(database, run_id));
  return query.integer(0);
}

Result<RunDetails> run_details(Database& database, const std::string& run_id) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  WAVE_TRY(StoredRun stored, find_run(database, run_id));
  RunDetails details = std::move(stored.details);
  WAVE_TRY(details.steps, read_steps(database, stored.id));
  WAVE_TRY(details.gates, read_gates(database, stored.id));
  WAVE_TRY(details.artifacts, read_artifacts(database, stored.id));
  return details;
}

Result<std::vector<LiveRun>> live_runs(Database& database, int64_t after) {
  WAVE_TRY(Query query,
           database.query("SELECT id, run_id, pipeline, actor, status, waiting_reason, resuming,"
                          " owner_epoch, queued_at FROM run"
                          " WHERE status IN (?1, ?2, ?3) AND id > ?4 ORDER BY id"));
  const std::vector<std::string> live = live_statuses();
  query.bind(live[0], live[1], live[2], after);
  std::vector<LiveRun> runs;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return runs;
    LiveRun& run = runs.emplace_back();
    run.id = query.integer(0);
    run.run_id = query.string(1);
    run.pipeline = query.string(2);
    run.actor = query.string(3);
    run.status = query.string(4);
    run.waiting_reason = query.string(5);
    run.resuming = query.integer(6) != 0;
    run.owner_epoch = query.integer(7);
    run.queued_at = query.optional_time(8);
  }
}

Result<std::string> resolve_run(Database& database, const std::string& prefix) {
  if (prefix.empty())
    return fail(Code::kUsage, "a run id is needed", "`wave list runs` shows them");
  constexpr size_t kNamed = 5;
  WAVE_TRY(Query query, database.query("SELECT run_id FROM run WHERE run_id >= ?1 AND run_id < ?2"
                                       " ORDER BY run_id LIMIT ?3"));
  const std::string end = after_prefix(prefix);
  query.bind(prefix, end, kNamed + 1);
  std::vector<std::string> candidates;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) break;
    candidates.push_back(query.string(0));
  }
  if (candidates.empty()) return fail(missing_run(database, prefix));
  if (candidates.size() == 1 || candidates.front() == prefix) return candidates.front();
  const bool more = candidates.size() > kNamed;
  if (more) candidates.pop_back();
  return fail(Code::kUsage,
              fmt::format("\"{}\" can be any of {}{}", prefix, join(candidates, ", "),
                          more ? " and others" : ""),
              "give more of the run's id");
}

}  // namespace wave::store::sqlite
