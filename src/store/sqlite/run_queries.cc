#include "store/sqlite/run_queries.h"

#include <fmt/core.h>

#include "base/text.h"
#include "store/sqlite/batch.h"

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxPage = 1000;

/// Where a list goes on: runs are ordered by when they were accepted, then by id.
struct Cursor {
  int64_t accepted_at = 0;
  int64_t id = 0;
};

Result<Cursor> find_cursor(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query("SELECT accepted_at, id FROM run WHERE run_id = ?1 UNION ALL"
                                       " SELECT accepted_at, run FROM pruned WHERE run_id = ?1"));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) {
    return fail(Code::kNotFound,
                fmt::format("the list cannot go on after \"{}\": no such run", run_id),
                "start the list from its beginning");
  }
  return Cursor{query.integer(0), query.integer(1)};
}

/// `text` for LIKE, anywhere.
std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

struct Listed {
  WallTime accepted_at{};
  int64_t id = 0;
  flow::RunRow row;
};

/// A list under at most one status, so that one index gives its order and nothing is sorted.
class ListQuery {
 public:
  ListQuery(const RunFilter& filter, std::optional<Cursor> cursor, size_t limit)
      : filter_(filter), cursor_(cursor), limit_(limit), pattern_(like_pattern(filter.text)) {}

  Status run(Database& database, const std::string* status, std::vector<Listed>& rows) {
    WAVE_TRY(Query query, database.query(sql(status != nullptr)));
    query.restart();
    bind(query, status);
    while (true) {
      WAVE_TRY(const bool more, query.next());
      if (!more) return {};
      WAVE_TRY(StoredRun stored, read_run(query));
      rows.push_back({stored.accepted_at, stored.id, std::move(stored.details.row)});
    }
  }

 private:
  [[nodiscard]] std::string sql(bool by_status) const {
    std::string text(kSelectRun);
    text += "WHERE 1";
    if (by_status) text += " AND status = ?1";
    if (!filter_.pipeline.empty()) text += " AND pipeline = ?2";
    if (filter_.since) text += " AND accepted_at >= ?3";
    if (filter_.until) text += " AND accepted_at <= ?4";
    if (cursor_) {
      text += filter_.oldest_first ? " AND (accepted_at, run.id) > (?5, ?6)"
                                   : " AND (accepted_at, run.id) < (?5, ?6)";
    }
    if (!filter_.tag_key.empty()) {
      text += filter_.any_tag_value
                  ? " AND run.id IN (SELECT run FROM run_tag WHERE key = ?7)"
                  : " AND run.id IN (SELECT run FROM run_tag WHERE key = ?7 AND value = ?8)";
    }
    if (!filter_.actor.empty()) text += " AND actor = ?11";
    if (!filter_.origin.empty()) text += " AND origin_run_id = ?12";
    if (!filter_.text.empty()) {
      text += R"( AND (run_id LIKE ?9 ESCAPE '\' OR run_start.input LIKE ?9 ESCAPE '\'))";
    }
    return text + (filter_.oldest_first ? " ORDER BY accepted_at, run.id LIMIT ?10"
                                        : " ORDER BY accepted_at DESC, run.id DESC LIMIT ?10");
  }

  void bind(Query& query, const std::string* status) const {
    if (status != nullptr) query.bind_at(1, *status);
    if (!filter_.pipeline.empty()) query.bind_at(2, filter_.pipeline);
    if (filter_.since) query.bind_at(3, *filter_.since);
    if (filter_.until) query.bind_at(4, *filter_.until);
    if (cursor_) query.bind_at(5, cursor_->accepted_at);
    if (cursor_) query.bind_at(6, cursor_->id);
    if (!filter_.tag_key.empty()) query.bind_at(7, filter_.tag_key);
    if (!filter_.tag_key.empty() && !filter_.any_tag_value) query.bind_at(8, filter_.tag_value);
    if (!filter_.text.empty()) query.bind_at(9, pattern_);
    query.bind_at(10, limit_);
    if (!filter_.actor.empty()) query.bind_at(11, filter_.actor);
    if (!filter_.origin.empty()) query.bind_at(12, filter_.origin);
  }

  const RunFilter& filter_;
  const std::optional<Cursor> cursor_;
  const size_t limit_;
  const std::string pattern_;
};

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

Result<std::vector<flow::RunRow>> list_runs(Database& database, const RunFilter& filter) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  std::optional<Cursor> cursor;
  if (!filter.after.empty()) {
    WAVE_TRY(cursor, find_cursor(database, filter.after));
  }
  const size_t limit = std::clamp<size_t>(filter.limit, 1, kMaxPage);

  ListQuery query(filter, cursor, limit);
  std::vector<Listed> found;
  if (filter.statuses.empty()) WAVE_CHECK(query.run(database, nullptr, found));
  const std::set<std::string> statuses(filter.statuses.begin(), filter.statuses.end());
  for (const std::string& status : statuses) WAVE_CHECK(query.run(database, &status, found));

  std::ranges::sort(found, [&filter](const Listed& a, const Listed& b) {
    const auto one = std::tie(a.accepted_at, a.id), other = std::tie(b.accepted_at, b.id);
    return filter.oldest_first ? one < other : one > other;
  });
  if (found.size() > limit) found.resize(limit);
  std::vector<flow::RunRow> rows;
  for (Listed& listed : found) rows.push_back(std::move(listed.row));
  return rows;
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
