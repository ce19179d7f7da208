#include "store/sqlite/event_queries.h"

#include <fmt/core.h>

#include "store/sqlite/batch.h"
#include "store/sqlite/run_queries.h"

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxEventPage = 1000;  // of events: no read transaction outlives one page

/// Columns: seq, position, kind, line.
Result<StoredEvent> read_event(const Query& row, std::string run_id) {
  StoredEvent event{.seq = static_cast<uint64_t>(row.integer(0)),
                    .position = row.integer(1),
                    .run_id = std::move(run_id),
                    .line = row.string(3)};
  const auto kind = flow::kind_from_name(row.text(2));
  if (!kind) {
    return fail(Code::kStoreNewer,
                fmt::format("run {} has an event of kind \"{}\", which this wave does not know",
                            event.run_id, row.text(2)),
                "use the newer wave that wrote it");
  }
  event.kind = *kind;
  return event;
}

/// INDEXED BY: without statistics SQLite sees no reason to prefer the index that leaves the
/// activities out, and reading through those is what has to be avoided.
std::string_view sql_for(const EventQuery& query) {
  if (!query.step.empty() && query.folded_only) {
    return "SELECT seq, position, kind, line FROM event INDEXED BY event_folded"
           " WHERE run = ?1 AND seq > ?2 AND folded = 1 AND step = ?4 ORDER BY seq LIMIT ?3";
  }
  if (!query.step.empty()) {
    return "SELECT seq, position, kind, line FROM event INDEXED BY event_by_seq"
           " WHERE run = ?1 AND seq > ?2 AND step = ?4 ORDER BY seq LIMIT ?3";
  }
  if (query.folded_only) {
    return "SELECT seq, position, kind, line FROM event INDEXED BY event_folded"
           " WHERE run = ?1 AND seq > ?2 AND folded = 1 ORDER BY seq LIMIT ?3";
  }
  return "SELECT seq, position, kind, line FROM event INDEXED BY event_by_seq"
         " WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
}

/// An index by step would cost every append more than it saves the few who ask for one step. Its
/// events begin with a folded one, of which there are few: what came before is skipped by them.
Result<int64_t> before_step(Database& database, int64_t run, const std::string& step) {
  WAVE_TRY(Query query,
           database.query("SELECT seq FROM event INDEXED BY event_folded WHERE run = ?1"
                          " AND folded = 1 AND step = ?2 ORDER BY seq LIMIT 1"));
  WAVE_TRY(const bool row, query.bind(run, step).next());
  return row ? query.integer(0) - 1 : 0;
}

}  // namespace

Result<std::vector<StoredEvent>> events(Database& database, const std::string& run_id,
                                        const EventQuery& asked) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  WAVE_TRY(const int64_t run, find_run_id(database, run_id));
  WAVE_TRY(Query query, database.query(sql_for(asked)));
  // A cursor from outside may be any number; beyond the signed ones there is nothing.
  auto after = static_cast<int64_t>(std::min<uint64_t>(asked.after, INT64_MAX));
  if (after == 0 && !asked.step.empty()) {
    WAVE_TRY(after, before_step(database, run, asked.step));
  }
  query.bind(run, after, std::min(asked.limit, kMaxEventPage));
  if (!asked.step.empty()) query.bind_at(4, asked.step);
  std::vector<StoredEvent> found;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return found;
    WAVE_TRY(StoredEvent event, read_event(query, run_id));
    found.push_back(std::move(event));
  }
}

Result<std::vector<StoredEvent>> events_since(Database& database, int64_t position, size_t limit) {
  WAVE_TRY(Query query,
           database.query("SELECT event.seq, event.position, event.kind, event.line, run.run_id,"
                          " run.pipeline"
                          " FROM event CROSS JOIN run ON run.id = event.run"
                          " WHERE event.position > ?1 ORDER BY event.position LIMIT ?2"));
  query.bind(position, std::min(limit, kMaxEventPage));
  std::vector<StoredEvent> found;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return found;
    WAVE_TRY(StoredEvent event, read_event(query, query.string(4)));
    event.pipeline = query.string(5);
    found.push_back(std::move(event));
  }
}

Result<LogEnd> log_end(Database& database, const std::string& run_id) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  LogEnd end;
  WAVE_TRY(end.epoch,
           database.integer("SELECT ifnull(max(value), 0) FROM meta WHERE key = 'stream_epoch'"));
  if (run_id.empty()) {
    WAVE_TRY(const Mark mark, read_mark(database));
    end.last = static_cast<uint64_t>(mark.position);
    WAVE_TRY(
        const int64_t pruned,
        database.integer("SELECT ifnull(max(value), 0) FROM meta WHERE key = 'pruned_position'"));
    end.pruned = static_cast<uint64_t>(pruned);
    return end;
  }
  WAVE_TRY(const int64_t run, find_run_id(database, run_id));
  WAVE_TRY(Query query,
           database.query("SELECT seq FROM event INDEXED BY event_by_seq WHERE run = ?1"
                          " ORDER BY seq DESC LIMIT 1"));
  WAVE_TRY(const bool row, query.bind(run).next());
  if (row) end.last = static_cast<uint64_t>(query.integer(0));
  return end;
}

}  // namespace wave::store::sqlite
