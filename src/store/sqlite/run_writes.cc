#include "store/sqlite/run_writes.h"

#include <fmt/core.h>

#include "base/text.h"

namespace wave::store::sqlite {
namespace {

// Of one submit by another. More is a clock that was set back.
constexpr Millis kMostOvertaken{10'000};

}  // namespace

Result<std::optional<std::string>> earlier_run(Database& database, const std::string& key,
                                               const std::string& request_hash) {
  if (key.empty()) return std::nullopt;
  WAVE_TRY(
      Query query,
      database.query("SELECT hash, run_id FROM idempotency JOIN run ON run.id = idempotency.run"
                     " WHERE key = ?1"));
  WAVE_TRY(const bool row, query.bind(key).next());
  if (!row) return std::nullopt;
  if (query.text(0) == request_hash) return query.string(1);
  return fail(
      Code::kIdempotencyMismatch,
      fmt::format("the idempotency key \"{}\" was used for another request", excerpt(key, 100)),
      "use a new key for each request");
}

Result<std::optional<NewRun>> accepted_later(Database& database, const NewRun& run) {
  WAVE_TRY(Query query, database.query("SELECT accepted_at FROM run ORDER BY id DESC LIMIT 1"));
  WAVE_TRY(const bool any, query.bind().next());
  if (!any) return std::nullopt;
  const WallTime latest = query.time(0);
  const WallTime own = run.events.front().ts;
  if (own >= latest || latest - own > kMostOvertaken) return std::nullopt;
  NewRun later = run;
  for (flow::Event& event : later.events) event.ts = std::max(event.ts, latest);
  later.projection.run.queued_at = later.events.back().ts;
  later.projection.run.updated_at = later.events.back().ts;
  return later;
}

Status insert_idempotency(Database& database, int64_t run, const std::string& key,
                          const std::string& request_hash) {
  if (key.empty()) return {};
  WAVE_TRY(Query insert,
           database.query("INSERT INTO idempotency(key, hash, run) VALUES(?1, ?2, ?3)"));
  return insert.bind(key, request_hash, run).run();
}

Result<std::vector<int64_t>> raise_epochs(Batch& batch, std::span<const TakeOver> runs) {
  std::vector<int64_t> epochs;
  for (const TakeOver& run : runs) {
    WAVE_TRY(const RunEntry* const entry, batch.run(run.run_id));
    epochs.push_back(entry->owner_epoch + 1);
    WAVE_TRY(Query raise, batch.database().query("UPDATE run SET owner_epoch = ?2,"
                                                 " crash_folds = crash_folds + ?3 WHERE id = ?1"));
    WAVE_CHECK(raise.bind(entry->id, epochs.back(), run.note_fold).run());
  }
  // Only now: what fails is rolled back as a whole.
  for (const TakeOver& run : runs) batch.forget(run.run_id);
  return epochs;
}

Result<int> write_fold_note(Batch& batch, const std::string& run_id, bool finished) {
  WAVE_TRY(const RunEntry* const entry, batch.run(run_id));
  WAVE_TRY(Query note, batch.database().query("UPDATE run SET crash_folds ="
                                              " CASE ?2 WHEN 1 THEN 0 ELSE crash_folds + 1 END"
                                              " WHERE id = ?1 RETURNING crash_folds"));
  WAVE_CHECK(note.bind(entry->id, finished).next());
  const int count = static_cast<int>(note.integer(0));
  WAVE_CHECK(note.run());
  return count;
}

}  // namespace wave::store::sqlite
