#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/retro/retro_list.h"
#include "server/test_services.h"

namespace wave::server {
namespace {

using retro::PipelineStats;
using ::testing::ElementsAre;

std::shared_ptr<flow::Retro> made(int64_t second, const std::string& outcome, double cost,
                                  int retries = 0) {
  auto retro = std::make_shared<flow::Retro>();
  retro->run_id = "r" + std::to_string(second);
  retro->pipeline = "p";
  retro->outcome = outcome;
  retro->ended = true;
  retro->queued_at = retro->started_at = WallTime(Millis(second * 1000));
  retro->finished_at = *retro->started_at + Millis(1000);
  retro->usage.cost_usd = cost;
  flow::RetroStep& step = retro->steps.emplace_back();
  step.step = "a";
  step.status = outcome;
  step.attempts = 1 + retries;
  step.retries = retries;
  step.failure_class = outcome == "failed" ? "timeout" : "";
  for (int i = 0; i < retries; ++i) {
    flow::Friction& friction = retro->friction.emplace_back();
    friction.step = "a";
    friction.failure_class = "transient";
  }
  return retro;
}

TEST(RetroStats, SayWhatFailsWhatIsFlakyAndWhatGetsDearer) {
  // Newest first, as lists are: the order of time is found by itself.
  const retro::Retros retros{made(6, "completed", 4), made(5, "completed", 4, 2),
                             made(4, "completed", 3), made(3, "completed", 2),
                             made(2, "failed", 9),    made(1, "completed", 2),
                             made(0, "completed", 2)};
  const auto stats = retro::stats_of(retros);
  ASSERT_EQ(stats.size(), 1u);
  const PipelineStats& p = stats[0];
  EXPECT_EQ(p.runs, 7);
  EXPECT_EQ(p.completed, 6);
  EXPECT_EQ(p.failed, 1);
  EXPECT_DOUBLE_EQ(p.cost.earlier, 2);
  EXPECT_DOUBLE_EQ(p.cost.later, 4);
  EXPECT_DOUBLE_EQ(p.cost.change(), 1);
  ASSERT_EQ(p.steps.size(), 1u);
  EXPECT_EQ(p.steps[0].failed, 1);
  EXPECT_EQ(p.steps[0].flaky, 1);
  EXPECT_EQ(p.steps[0].retries, 2);
  EXPECT_EQ(p.steps[0].failures.at("transient"), 2);
  EXPECT_EQ(p.steps[0].failures.at("timeout"), 1);
  EXPECT_TRUE(retro::stats_of(retros, "other")[0].steps.empty());
}

TEST(RetroStats, PercentilesAreOfTheNearestRank) {
  EXPECT_EQ(retro::percentile({}, 0.5), 0);
  EXPECT_EQ(retro::percentile({1}, 0.9), 1);
  EXPECT_EQ(retro::percentile({1, 2, 3, 4}, 0.5), 2);
  EXPECT_EQ(retro::percentile({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 0.9), 9);
}

class RetroRoutes : public ::testing::Test {
 protected:
  RetroRoutes() {
    add_retro_routes(table_);
    test_.write("wave.yaml",
                "apiVersion: v1\nkind: WaveManifest\nmetadata: {name: t}\n"
                "runtime: {workspace_root: .agents/workspaces}\n");
  }
  std::string run(const std::string& script) {
    test_.write(".agents/pipelines/p.yaml",
                "kind: WavePipeline\nmetadata: {name: p}\nsteps:\n"
                "  - {id: a, type: command, script: \"" +
                    script + "\", retry: {max_attempts: 1}}\n");
    const auto created = test_.engine->create({.pipeline = "p", .actor = "test"});
    EXPECT_TRUE(created) << full_message(created.error());
    test_.drive(created.value_or(""));
    return created.value_or("");
  }
  json::object get(std::string_view operation, std::map<std::string, std::string> path,
                   std::multimap<std::string, std::string> query = {}) {
    const auto response = test_.call(table_, operation, {}, std::move(path), std::move(query));
    EXPECT_TRUE(response) << (response ? "" : full_message(response.error()));
    if (!response) return {};
    EXPECT_EQ(schema_errors(operation == "listRetros" ? "RetroList" : "Retro", *response), "");
    return parse_json(body_text(*response))->as_object();
  }

  TestServices test_;
  RouteTable table_;
};

TEST_F(RetroRoutes, ARunIsLookedBackAtAndComparedWithEarlierOnes) {
  const std::string first = run("true");
  const std::string second = run("true");
  EXPECT_EQ(get_int(get_object(get("getRunRetro", {{"id", first}}), "comparison"), "earlier_runs"),
            0);
  const json::object object = get("getRunRetro", {{"id", second}});
  EXPECT_EQ(get_string(object, "run_id"), second);
  EXPECT_EQ(get_string(object, "outcome"), "completed");
  EXPECT_EQ(get_string(object, "smoothness"), "effortless");
  EXPECT_EQ(get_int(get_object(object, "comparison"), "earlier_runs"), 1);
  EXPECT_EQ(get_int(get_object(object, "comparison"), "earlier_completed"), 1);
  EXPECT_EQ(get_string(get_array(object, "steps")[0].as_object(), "step"), "a");
  const auto missing = test_.call(table_, "getRunRetro", {}, {{"id", "nothing"}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::kNotFound);
}

TEST_F(RetroRoutes, ListsArePagedNewestFirstWithStats) {
  std::vector<std::string> expected;
  for (const char* script : {"true", "false", "true"}) expected.push_back(run(script));
  std::ranges::reverse(expected);
  std::vector<std::string> seen;
  std::string cursor;
  do {
    std::multimap<std::string, std::string> query{{"limit", "2"}};
    if (!cursor.empty()) query.emplace("cursor", cursor);
    const json::object page = get("listRetros", {}, std::move(query));
    for (const json::value& row : get_array(page, "retros")) {
      seen.emplace_back(get_string(row.as_object(), "run_id"));
    }
    cursor = get_string(page, "next_cursor");
  } while (!cursor.empty());
  EXPECT_EQ(seen, expected);
  const json::object all = get("listRetros", {}, {{"pipeline", "p"}});
  const json::object& stats = get_array(all, "stats")[0].as_object();
  EXPECT_EQ(get_int(stats, "runs"), 3);
  EXPECT_EQ(get_int(stats, "failed"), 1);
  EXPECT_EQ(get_array(get("listRetros", {}, {{"step", "zzz"}}), "retros").size(), 0u);
  EXPECT_FALSE(test_.call(table_, "listRetros", {}, {}, {{"since", "yesterday"}}));
}

}  // namespace
}  // namespace wave::server
