// Hosts and launchers that are stopped at random moments while many runs work: every run ends, what
// was cancelled is cancelled, and no process is left.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <random>
#include <set>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr int kRuns = 24;

std::vector<pid_t> helpers(const Project& project) {
  std::vector<pid_t> found;
  for (const pid_t pid : processes_with("HOME=" + project.environment().at("HOME"))) {
    std::string comm;
    std::ifstream(fmt::format("/proc/{}/comm", pid)) >> comm;
    if (comm == "wave-host" || comm == "wave-launcher") found.push_back(pid);
  }
  return found;
}

TEST(Storms, StoppedHelpersHoldNobodyUp) {
  const Project project;
  project.pipeline("work",
                   "  - id: a\n    type: command\n    script: |\n"
                   "      i=0; while [ $i -lt 30 ]; do i=$((i+1)); echo line $i; sleep 0.1; done\n"
                   "  - {id: b, type: command, dependencies: [a], script: \"echo done\"}\n");
  const Server server(project, {"--max-concurrent", "8"});
  std::mt19937 random(20261130);  // seeded, so that a failure can be had again
  std::vector<std::string> runs;
  for (int i = 0; i < kRuns; ++i) runs.push_back(server.submit({{"pipeline", "work"}}));

  std::set<pid_t> stopped;
  std::set<std::string> cancelled;
  const auto is_over = [&](const std::string& run) {
    const std::string status(get_string(server.run(run), "status"));
    return status == "completed" || status == "cancelled" || status == "failed";
  };
  const bool all_ended = wait_until(
      [&] {
        const std::vector<pid_t> now = helpers(project);
        if (!now.empty() && random() % 4 == 0) {
          const pid_t one = now[random() % now.size()];
          ::kill(one, SIGSTOP);
          stopped.insert(one);
        }
        const std::string& run = runs[random() % runs.size()];
        if (random() % 40 == 0 && !is_over(run)) {
          const bool force = random() % 2 == 0;
          const int status =
              server.post("/api/runs/" + run + "/cancel", json::object{{"force", force}}).status;
          EXPECT_TRUE(status == 200 || status == 409) << status;
          if (status == 200) cancelled.insert(run);
        }
        // Somebody lets hosts go on after a while: their runs must not need it to be cancelled.
        if (!stopped.empty() && random() % 8 == 0) {
          ::kill(*stopped.begin(), SIGCONT);
          stopped.erase(stopped.begin());
        }
        return std::ranges::all_of(runs, is_over);
      },
      std::chrono::minutes(3));
  EXPECT_TRUE(all_ended);
  for (const std::string& run : runs) {
    const auto log = events(project, run);
    expect_sound(log);
    EXPECT_EQ(count_events(log, "run_failed"), 0u) << run;
    EXPECT_TRUE(agents_of(run).empty()) << run;
  }
}

}  // namespace
}  // namespace wave::test
