#include "store/sqlite/run_pages.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "store/sqlite/open.h"
#include "store/test_support.h"

namespace wave::store::sqlite {
namespace {

/// Runs 0, 1, 2 and so on, each a second younger than the one before.
constexpr char kRuns[] = R"sql(
BEGIN;
CREATE TEMP TABLE number AS WITH RECURSIVE n(i) AS (SELECT {0} UNION ALL
  SELECT i + 1 FROM n WHERE i + 1 < {1}) SELECT i FROM n;
INSERT INTO run(id, run_id, accepted_at, pipeline, actor, origin_run_id, snapshot, status, resuming,
    waiting_reason, failed_step, error_code, error_message, updated_at, steps_total, steps_done,
    tokens_in, tokens_out, tokens_cache_read, tokens_cache_write, cost_usd)
  SELECT i + 1, printf('run-%07d', i), i * 1000, CASE WHEN i % 3 THEN 'build' ELSE 'review' END,
    CASE WHEN i % 2 THEN 'ada' ELSE 'ci' END, CASE WHEN i % 1000 = 5 THEN 'parent' ELSE '' END, '',
    CASE WHEN i % 10 = 7 THEN 'failed' WHEN i % 100 = 1 THEN 'rejected' ELSE 'completed' END,
    0, '', '', '', '', i * 1000, 1, 1, 0, 0, 0, 0, 0 FROM number;
INSERT INTO run_start(run, input, tags) SELECT i + 1,
    CASE WHEN i = 3 THEN 'the old needle' ELSE 'some hay' END, '{{}}' FROM number;
INSERT INTO run_tag(run, key, value) SELECT i + 1, 'team', 'core' FROM number;
INSERT INTO run_tag(run, key, value) SELECT i + 1, 'ticket', printf('%d', i / 5) FROM number;
DROP TABLE number;
COMMIT;
)sql";

struct AskedPages {
  const char* what;
  RunFilter filter;
  std::function<bool(int)> fits;
};

std::vector<AskedPages> all_kinds_of_lists() {
  const auto tagged = [](const char* key, const char* value) {
    return RunFilter{.tag_key = key, .tag_value = value, .any_tag_value = *value == '\0'};
  };
  const auto failed = [](int i) { return i % 10 == 7; };
  const auto rejected = [failed](int i) { return !failed(i) && i % 100 == 1; };
  return {
      {"all", {}, [](int) { return true; }},
      {"status", {.statuses = {"failed"}}, failed},
      {"statuses",
       {.statuses = {"failed", "rejected"}},
       [=](int i) { return failed(i) || rejected(i); }},
      {"live", {.statuses = {"running", "queued"}}, [](int) { return false; }},
      {"pipeline", {.pipeline = "review"}, [](int i) { return i % 3 == 0; }},
      {"pipeline and status",
       {.statuses = {"failed"}, .pipeline = "review"},
       [=](int i) { return i % 3 == 0 && failed(i); }},
      {"common tag", tagged("team", "core"), [](int) { return true; }},
      {"rare tag", tagged("ticket", "12"), [](int i) { return i / 5 == 12; }},
      {"no such tag", tagged("team", "web"), [](int) { return false; }},
      {"tag with any value", tagged("ticket", ""), [](int) { return true; }},
      {"actor", {.actor = "ada"}, [](int i) { return i % 2 == 1; }},
      {"actor and statuses",
       {.statuses = {"failed", "rejected"}, .actor = "ada"},
       [=](int i) { return i % 2 == 1 && (failed(i) || rejected(i)); }},
      {"what never meets",
       {.statuses = {"failed"}, .pipeline = "build", .actor = "ci"},
       [](int) { return false; }},
      {"origin", {.origin = "parent"}, [](int i) { return i % 1000 == 5; }},
      {"common text", {.text = "HAY"}, [](int i) { return i != 3; }},
      {"rare text", {.text = "needle"}, [](int i) { return i == 3; }},
      {"text of an id", {.text = "run-0000123"}, [](int i) { return i == 123; }},
      {"text and statuses",
       {.statuses = {"completed", "rejected"}, .text = "needle"},
       [](int i) { return i == 3; }},
  };
}

class RunPages : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = open_database(project_.paths(), {}, {});
    ASSERT_OK(opened);
    database_ = *std::move(opened);
  }
  void grow_to(int runs) {
    ASSERT_OK(database_->execute(fmt::format(fmt::runtime(kRuns), count_, runs)));
    count_ = runs;
  }
  /// Every page of a list, one after the other; no run twice.
  std::vector<std::string> walk(RunFilter filter) {
    std::vector<std::string> ids;
    for (int pages = 0; pages < 2 * count_; ++pages) {
      const auto page = run_page(*database_, filter);
      EXPECT_OK(page);
      if (!page) return ids;
      EXPECT_LE(page->rows.size(), filter.limit);
      for (const flow::RunRow& row : page->rows) ids.push_back(row.run_id);
      if (page->next.empty()) return ids;
      EXPECT_NE(page->next, filter.after) << "it does not come further";
      filter.after = page->next;
    }
    ADD_FAILURE() << "a list without an end";
    return ids;
  }
  /// Instructions of SQLite's machine for one page.
  int work_of(const RunFilter& filter) {
    count_work();
    EXPECT_OK(run_page(*database_, filter));
    return count_work();
  }

  TemporaryProject project_;
  std::unique_ptr<Database> database_;
  int count_ = 0;

 private:
  int count_work() {
    int steps = 0;
    for (sqlite3_stmt* at = sqlite3_next_stmt(database_->handle(), nullptr); at != nullptr;
         at = sqlite3_next_stmt(database_->handle(), at)) {
      steps += sqlite3_stmt_status(at, SQLITE_STMTSTATUS_VM_STEP, 1);
    }
    return steps;
  }
};

TEST_F(RunPages, EveryRunThatFitsIsOnOnePage) {
  grow_to(static_cast<int>(kMostVisited) * 3 + 7);
  for (const bool oldest_first : {false, true}) {
    for (AskedPages& asked : all_kinds_of_lists()) {
      SCOPED_TRACE(fmt::format("{}, oldest first: {}", asked.what, oldest_first));
      std::vector<std::string> wanted;
      for (int i = 0; i < count_; ++i) {
        if (asked.fits(i)) wanted.push_back(fmt::format("run-{:07}", i));
      }
      if (!oldest_first) std::ranges::reverse(wanted);
      asked.filter.oldest_first = oldest_first;
      asked.filter.limit = 37;
      EXPECT_EQ(walk(asked.filter), wanted);
    }
  }
}

// Reading all these runs would take ten times as many instructions.
TEST_F(RunPages, APageCostsNoMoreInALongHistory) {
  constexpr int kPerRun = 40;  // instructions, with room
  grow_to(static_cast<int>(kMostVisited) * 20);
  for (AskedPages& asked : all_kinds_of_lists()) {
    const size_t lists = std::max<size_t>(asked.filter.statuses.size(), 1);
    const int most = static_cast<int>(lists * kMostVisited) * kPerRun;
    EXPECT_LE(work_of(asked.filter), most) << asked.what;
    asked.filter.after = fmt::format("run-{:07}", count_ / 2);
    EXPECT_LE(work_of(asked.filter), most) << asked.what << ", far behind";
  }
}

TEST_F(RunPages, ACursorThatIsNoRunIsRefused) {
  grow_to(3);
  const auto page = run_page(*database_, {.after = "none"});
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace wave::store::sqlite
