#include "store/sqlite/prune.h"

#include <fmt/core.h>

namespace wave::store::sqlite {
namespace {

constexpr int kPiece = 1000;

Result<std::string> live_descendant(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query("SELECT run_id FROM run WHERE origin_run_id = ?1"
                                       " AND status IN (?2, ?3, ?4) LIMIT 1"));
  WAVE_TRY(const bool row, query
                               .bind(run_id, flow::to_string(flow::RunStatus::kQueued),
                                     flow::to_string(flow::RunStatus::kRunning),
                                     flow::to_string(flow::RunStatus::kWaiting))
                               .next());
  return row ? query.string(0) : std::string();
}

Result<std::vector<std::string>> blobs_of(Database& database, int64_t run) {
  WAVE_TRY(Query query, database.query("SELECT sha256 FROM blob_ref WHERE run = ?1"));
  query.bind(run);
  std::vector<std::string> blobs;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return blobs;
    blobs.push_back(query.string(0));
  }
}

/// A run that was pruned before: its number while events of it are left, else 0.
Result<int64_t> unfinished(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query("SELECT CASE finished WHEN 0 THEN run ELSE 0 END FROM pruned"
                                       " WHERE run_id = ?1"));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) {
    return fail(Code::kNotFound, fmt::format("there is no run {}", run_id),
                "`wave list runs` shows the runs there are");
  }
  return query.integer(0);
}

}  // namespace

Result<PruneWork> prune_rows(Batch& batch, const std::string& run_id, WallTime now) {
  Database& database = batch.database();
  const auto entry = batch.run(run_id);
  if (!entry && entry.error().code == Code::kPruned) {
    WAVE_TRY(const int64_t run, unfinished(database, run_id));
    return PruneWork{.run = run, .blobs = {}};
  }
  if (!entry) return fail(entry.error());
  const RunEntry run = **entry;
  if (!run.terminal) {
    return fail(Code::kConflict, fmt::format("run {} is not over", run_id),
                "cancel it first, or wait for its end");
  }
  WAVE_TRY(const std::string descendant, live_descendant(database, run_id));
  if (!descendant.empty()) {
    return fail(Code::kConflict, fmt::format("run {} continues run {}", descendant, run_id),
                "wait for its end");
  }
  PruneWork work{.run = run.id, .blobs = {}};
  WAVE_TRY(work.blobs, blobs_of(database, run.id));
  // Positions are cursors of readers: they are never given out twice.
  WAVE_TRY(Query floor, database.query("UPDATE meta SET value = max(value, ?1)"
                                       " WHERE key = 'position_floor'"));
  WAVE_CHECK(floor.bind(batch.after().position).run());
  // Who follows all runs from before this position would miss events without knowing.
  WAVE_TRY(Query pruned,
           database.query("INSERT INTO meta(key, value) SELECT 'pruned_position', position"
                          " FROM event INDEXED BY event_by_seq WHERE run = ?1"
                          " ORDER BY seq DESC LIMIT 1"
                          " ON CONFLICT(key) DO UPDATE SET value = max(value, excluded.value)"));
  WAVE_CHECK(pruned.bind(run.id).run());
  WAVE_TRY(Query tombstone,
           database.query("INSERT INTO pruned(run_id, run, accepted_at, pruned_at, finished)"
                          " SELECT run_id, id, accepted_at, ?2, 0 FROM run WHERE id = ?1"));
  WAVE_CHECK(tombstone.bind(run.id, now).run());
  // The other tables follow by their foreign keys.
  WAVE_TRY(Query remove, database.query("DELETE FROM run WHERE id = ?1"));
  WAVE_CHECK(remove.bind(run.id).run());
  batch.forget(run_id);
  return work;
}

Result<bool> prune_events(Batch& batch, int64_t run) {
  Database& database = batch.database();
  WAVE_TRY(Query remove,
           database.query("DELETE FROM event WHERE position IN"
                          " (SELECT position FROM event WHERE run = ?1 ORDER BY seq LIMIT ?2)"));
  WAVE_CHECK(remove.bind(run, kPiece).run());
  if (sqlite3_changes(database.handle()) == kPiece) return false;
  WAVE_TRY(Query finished, database.query("UPDATE pruned SET finished = 1 WHERE run = ?1"));
  WAVE_CHECK(finished.bind(run).run());
  return true;
}

Status remove_unused_blobs(Batch& batch, const BlobFolder& blobs,
                           std::span<const std::string> candidates) {
  WAVE_TRY(Query used, batch.database().query("SELECT 1 FROM blob_ref WHERE sha256 = ?1 LIMIT 1"));
  for (const std::string& sha256 : candidates) {
    WAVE_TRY(const bool row, used.bind(sha256).next());
    if (!row && !blobs.is_young(sha256)) blobs.remove(sha256);
  }
  return {};
}

Result<bool> give_back_pages(Database& database) {
  WAVE_TRY(const int64_t before, database.integer("PRAGMA freelist_count"));
  if (before == 0) return true;
  WAVE_CHECK(database.execute("PRAGMA incremental_vacuum(256)"));
  WAVE_TRY(const int64_t after, database.integer("PRAGMA freelist_count"));
  return after == 0 || after == before;
}

Status rewrite_database(Database& database) {
  // What is written meanwhile may be large, and belongs on a disk.
  return database.execute("PRAGMA temp_store=FILE; PRAGMA auto_vacuum=INCREMENTAL; VACUUM");
}

}  // namespace wave::store::sqlite
