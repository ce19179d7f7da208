#include "store/sqlite/run_pages.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "flow/state.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/run_queries.h"

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxRunPage = 1000;
constexpr int64_t kFewTagged = 1000;  // are sorted; of more there is one within few runs

/// A run's place in the order of lists: when it was accepted, then its id.
struct Place {
  int64_t accepted_at = 0;
  int64_t id = 0;
  auto operator<=>(const Place&) const = default;
};

/// Also of a pruned run: a cursor outlives its run.
Result<Place> find_cursor(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query("SELECT accepted_at, id FROM run WHERE run_id = ?1 UNION ALL"
                                       " SELECT accepted_at, run FROM pruned WHERE run_id = ?1"));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) {
    return fail(Code::kNotFound,
                fmt::format("the list cannot go on after \"{}\": no such run", run_id),
                "start the list from its beginning");
  }
  return Place{query.integer(0), query.integer(1)};
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

/// What runs are read by, in the order of the list. What the index does not know of is a column of
/// the statement and no condition: a run that does not fit is seen, and counted.
enum class Index { kTime, kStatus, kPipeline, kPipelineStatus, kActor, kOrigin, kTag };

constexpr std::string_view from_of(Index index) {
  switch (index) {
    case Index::kTime:
      return "run INDEXED BY run_by_time WHERE 1";
    case Index::kStatus:
      return "run INDEXED BY run_by_status WHERE status = ?1";
    case Index::kPipeline:
      return "run INDEXED BY run_by_pipeline WHERE pipeline = ?2";
    case Index::kPipelineStatus:
      return "run INDEXED BY run_by_pipeline_status WHERE pipeline = ?2 AND status = ?1";
    case Index::kActor:
      return "run INDEXED BY run_by_actor WHERE actor = ?10";
    case Index::kOrigin:
      return "run INDEXED BY run_by_origin WHERE origin_run_id = ?11";
    case Index::kTag:
      // CROSS JOIN: the order of the loops is this one.
      return "run_tag INDEXED BY run_tag_by_value CROSS JOIN run ON run.id = run_tag.run WHERE 1";
  }
  return {};
}

bool by_status(Index index) {
  return index == Index::kStatus || index == Index::kPipelineStatus;
}
bool by_pipeline(Index index) {
  return index == Index::kPipeline || index == Index::kPipelineStatus;
}

bool all_live(const std::vector<std::string>& statuses) {
  return !statuses.empty() && std::ranges::all_of(statuses, [](const std::string& word) {
    const auto status = flow::run_status_from_name(word);
    return status && !flow::is_terminal(*status);
  });
}

/// The one that leaves fewest runs to look at, by what is known without statistics: a run has few
/// children, few runs are live, and a person asks for less than a pipeline makes.
Index choose(const RunFilter& filter, bool few_tagged) {
  if (!filter.origin.empty()) return Index::kOrigin;
  if (few_tagged) return Index::kTag;
  const bool with_status = !filter.statuses.empty();
  if (!filter.pipeline.empty() && with_status) return Index::kPipelineStatus;
  if (all_live(filter.statuses)) return Index::kStatus;
  if (!filter.actor.empty()) return Index::kActor;
  if (!filter.pipeline.empty()) return Index::kPipeline;
  return with_status ? Index::kStatus : Index::kTime;
}

std::string tag_condition(const RunFilter& filter) {
  return filter.any_tag_value ? "key = ?7" : "key = ?7 AND value = ?8";
}

/// Values: ?1 status, ?2 pipeline, ?3 since, ?4 until, ?5 and ?6 the cursor, ?7 and ?8 the tag, ?9
/// text, ?10 actor, ?11 origin.
std::string sql_of(const RunFilter& filter, Index index, bool has_cursor) {
  std::string fits = "1";
  if (!filter.pipeline.empty() && !by_pipeline(index)) fits += " AND pipeline = ?2";
  if (!filter.actor.empty() && index != Index::kActor) fits += " AND actor = ?10";
  if (!filter.tag_key.empty() && index != Index::kTag) {
    fits += " AND EXISTS(SELECT 1 FROM run_tag WHERE run_tag.run = run.id AND " +
            tag_condition(filter) + ")";
  }
  if (!filter.text.empty()) {
    fits += R"( AND (run_id LIKE ?9 ESCAPE '\' OR EXISTS(SELECT 1 FROM run_start)"
            R"( WHERE run_start.run = run.id AND input LIKE ?9 ESCAPE '\')))";
  }
  std::string sql = "SELECT accepted_at, run.id, run_id, status, " + fits + " FROM ";
  sql += from_of(index);
  if (index == Index::kTag) sql += " AND " + tag_condition(filter);
  if (filter.since) sql += " AND accepted_at >= ?3";
  if (filter.until) sql += " AND accepted_at <= ?4";
  if (has_cursor) {
    sql += filter.oldest_first ? " AND (accepted_at, run.id) > (?5, ?6)"
                               : " AND (accepted_at, run.id) < (?5, ?6)";
  }
  return sql + (filter.oldest_first ? " ORDER BY accepted_at, run.id"
                                    : " ORDER BY accepted_at DESC, run.id DESC");
}

/// A run that was looked at.
struct Seen {
  Place place;
  std::string run_id;
};

/// One page under way.
class Pager {
 public:
  Pager(Database& database, const RunFilter& filter)
      : database_(database),
        filter_(filter),
        statuses_(filter.statuses.begin(), filter.statuses.end()),
        limit_(std::clamp<size_t>(filter.limit, 1, kMaxRunPage)),
        pattern_(like_pattern(filter.text)) {}

  Result<RunPage> read() {
    if (!filter_.after.empty()) {
      WAVE_TRY(cursor_, find_cursor(database_, filter_.after));
    }
    WAVE_TRY(const bool few_tagged, are_few_tagged());
    const Index index = choose(filter_, few_tagged);
    if (!by_status(index)) {
      WAVE_CHECK(look(index, nullptr));
      return page();
    }
    // Each status has a list of its own in the index: nothing is sorted.
    for (const std::string& status : statuses_) WAVE_CHECK(look(index, &status));
    return page();
  }

 private:
  Result<bool> are_few_tagged();
  Status look(Index index, const std::string* status);
  void bind(Query& query, Index index, const std::string* status) const;
  Result<RunPage> page();
  [[nodiscard]] bool comes_before(const Seen& one, const Seen& other) const {
    return filter_.oldest_first ? one.place < other.place : one.place > other.place;
  }

  Database& database_;
  const RunFilter& filter_;
  const std::set<std::string> statuses_;
  const size_t limit_;
  const std::string pattern_;
  std::optional<Place> cursor_;
  std::vector<Seen> found_;
  std::optional<Seen> frontier_;  // nothing: every list was looked through to its end
};

Result<bool> Pager::are_few_tagged() {
  if (filter_.tag_key.empty()) return false;
  WAVE_TRY(Query query, database_.query("SELECT count(*) FROM (SELECT 1 FROM run_tag"
                                        " INDEXED BY run_tag_by_value WHERE " +
                                        tag_condition(filter_) + " LIMIT ?9)"));
  query.restart();
  query.bind_at(7, filter_.tag_key);
  if (!filter_.any_tag_value) query.bind_at(8, filter_.tag_value);
  query.bind_at(9, kFewTagged + 1);
  WAVE_CHECK(query.next());
  return query.integer(0) <= kFewTagged;
}

void Pager::bind(Query& query, Index index, const std::string* status) const {
  query.restart();
  if (status != nullptr) query.bind_at(1, *status);
  if (!filter_.pipeline.empty()) query.bind_at(2, filter_.pipeline);
  if (filter_.since) query.bind_at(3, *filter_.since);
  if (filter_.until) query.bind_at(4, *filter_.until);
  if (cursor_) query.bind_at(5, cursor_->accepted_at);
  if (cursor_) query.bind_at(6, cursor_->id);
  if (!filter_.tag_key.empty()) query.bind_at(7, filter_.tag_key);
  if (!filter_.tag_key.empty() && !filter_.any_tag_value) query.bind_at(8, filter_.tag_value);
  if (!filter_.text.empty()) query.bind_at(9, pattern_);
  if (!filter_.actor.empty()) query.bind_at(10, filter_.actor);
  if (index == Index::kOrigin) query.bind_at(11, filter_.origin);
}

/// Looks through one list, until there are enough, or it has looked at enough.
Status Pager::look(Index index, const std::string* status) {
  WAVE_TRY(Query query, database_.query(sql_of(filter_, index, cursor_.has_value())));
  bind(query, index, status);
  Seen seen;
  size_t visited = 0, found = 0;
  while (found <= limit_ && visited < kMostVisited) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return {};
    ++visited;
    seen = {{query.integer(0), query.integer(1)}, query.string(2)};
    const bool status_fits =
        status != nullptr || statuses_.empty() || statuses_.contains(query.string(3));
    if (!status_fits || query.integer(4) == 0) continue;
    found_.push_back(seen);
    ++found;
  }
  if (!frontier_ || comes_before(seen, *frontier_)) frontier_ = std::move(seen);
  return {};
}

/// What was found up to where all lists have been looked through.
Result<RunPage> Pager::page() {
  RunPage page;
  if (frontier_) {
    page.next = frontier_->run_id;
    std::erase_if(found_, [&](const Seen& seen) { return comes_before(*frontier_, seen); });
  }
  std::ranges::sort(found_,
                    [&](const Seen& one, const Seen& other) { return comes_before(one, other); });
  if (found_.size() > limit_) {
    found_.resize(limit_);
    page.next = found_.back().run_id;
  }
  for (const Seen& seen : found_) {
    WAVE_TRY(StoredRun stored, find_run(database_, seen.run_id));
    page.rows.push_back(std::move(stored.details.row));
  }
  return page;
}

}  // namespace

Result<RunPage> run_page(Database& database, const RunFilter& filter) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  return Pager(database, filter).read();
}

}  // namespace wave::store::sqlite
