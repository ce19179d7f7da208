// Runs of the command line whose owners, hosts and agents are killed at any moment.
#include <gtest/gtest.h>

#include <thread>

#include "chaos/chaos.h"

namespace wave::test {
namespace {

constexpr size_t kMostRuns = 30;

/// Starts a run in the background. Its starter may be killed itself, before or after it is stored.
void start_one(const Project& project) {
  (void)wave(project, {"run", "chaos", "--detach", "-q"});
}

std::vector<std::string> all_runs(const Project& project) {
  const Exit exit = wave(project, {"status", "--all", "--json"});
  if (exit.code != 0) return {};
  const json::value answer = parsed(exit.out);
  std::vector<std::string> ids;
  for (const json::value& run : get_array(answer.as_object(), "runs")) {
    ids.emplace_back(get_string(run.as_object(), "run_id"));
  }
  return ids;
}

// Promises S1, S2, S3, E1, Q4 and Q8, all at once.
TEST(Chaos, RunsSurviveKillsOfOwnersHostsAndAgents) {
  const Project project;
  write_chaos_pipeline(project);
  Killer killer(project);
  SCOPED_TRACE("WAVE_CHAOS_SEED=" + std::to_string(killer.seed()));
  start_one(project);
  size_t started = 1;
  bool struck = true;
  const auto end = std::chrono::steady_clock::now() + chaos_time(std::chrono::seconds(20));
  while (std::chrono::steady_clock::now() < end) {
    // A new run also takes up those that have lost their owners.
    if (started < kMostRuns && (!struck || killer.random(6) == 0)) {
      start_one(project);
      ++started;
    }
    std::this_thread::sleep_for(killer.pause());
    struck = killer.strike();
  }
  const std::vector<std::string> runs = all_runs(project);
  ASSERT_FALSE(runs.empty());
  for (const std::string& run : runs) {
    EXPECT_TRUE(wait_until(
        [&] {
          if (is_over(status(project, run))) return true;
          // Somebody may own it already: then this is refused, and nothing has to be done.
          (void)wave(project, {"resume", run, "-q"});
          return is_over(status(project, run));
        },
        std::chrono::minutes(2)))
        << run << " is " << status(project, run);
    expect_survived(project, run);
  }
  std::cout << "  " << killer.strikes() << " kills, " << runs.size() << " runs\n";
}

}  // namespace
}  // namespace wave::test
