#include "cli/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wave::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const WallTime kNow = *parse_time("2026-01-10T00:00:00.000Z");

flow::RunRow run(const std::string& id, const std::string& status, int days_ago,
                 const std::string& origin = {}) {
  flow::RunRow row;
  row.run_id = id;
  row.pipeline = id.substr(0, 1);
  row.status = status;
  row.origin_run_id = origin;
  row.finished_at = kNow - std::chrono::days(days_ago);
  return row;
}

CleanOptions all() {
  CleanOptions options;
  options.all = true;
  return options;
}

TEST(Promises, O7_LiveRunsAndTheirOriginsStay) {
  const std::vector<flow::RunRow> rows{run("a5", "running", 0, "a4"), run("a4", "failed", 1, "a3"),
                                       run("a3", "failed", 2),        run("a2", "waiting", 3),
                                       run("a1", "completed", 4),     run("a0", "a new status", 5)};
  EXPECT_THAT(select_for_removal(rows, all(), kNow), ElementsAre("a1"));
}

TEST(Retention, OptionsNarrow) {
  const std::vector<flow::RunRow> rows{run("b4", "failed", 1), run("a3", "completed", 2),
                                       run("a2", "completed", 6), run("a1", "failed", 9)};
  CleanOptions options;
  options.older_than = std::chrono::days(5);
  EXPECT_THAT(select_for_removal(rows, options, kNow), ElementsAre("a1", "a2"));
  options.status = "failed";
  EXPECT_THAT(select_for_removal(rows, options, kNow), ElementsAre("a1"));
  CleanOptions keep;
  keep.keep_last = 2;
  EXPECT_THAT(select_for_removal(rows, keep, kNow), ElementsAre("a1", "a2"));
  keep.pipeline = "a";
  EXPECT_THAT(select_for_removal(rows, keep, kNow), ElementsAre("a1"));
  keep.keep_last = 9;
  EXPECT_THAT(select_for_removal(rows, keep, kNow), IsEmpty());
}

TEST(Retention, AStatusThatNoRunHasSelectsNothing) {
  CleanOptions options;
  options.status = "rejected";
  EXPECT_THAT(select_for_removal({run("a", "completed", 1)}, options, kNow), IsEmpty());
}

}  // namespace
}  // namespace wave::cli
