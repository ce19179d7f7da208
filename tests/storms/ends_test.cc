// Programs that are asked to end while their disk takes its time: no crash, nothing lost (O10).
#include <gtest/gtest.h>

#include <csignal>
#include <thread>

#include "support/server.h"
#include "support/shim.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr int kRounds = 20;
constexpr std::chrono::seconds kInTime{5};  // the deadline of O1

/// Steps in a row, so that at any moment something is about to be stored.
void busy_pipeline(const Project& project) {
  std::string steps = "  - {id: s0, type: command, script: \"true\"}\n";
  for (int i = 1; i < 8; ++i) {
    steps += "  - {id: s" + std::to_string(i) +
             ", type: command, script: \"true\", dependencies: [s" + std::to_string(i - 1) + "]}\n";
  }
  project.pipeline("busy", steps);
}

TEST(Storms, O10_AServerEndsInOrderWhateverItsDiskIsDoing) {
  const Project project;
  busy_pipeline(project);
  std::vector<std::string> runs;
  for (int round = 0; round < kRounds; ++round) {
    Server server(project, {}, with_shim("slow_sync", {{"WAVE_SHIM_SYNC_MS", "60"}}));
    for (int i = 0; i < 3; ++i) runs.push_back(server.submit({{"pipeline", "busy"}}));
    // Another moment of the runs' lives in each round: that is what the storm is about.
    std::this_thread::sleep_for(std::chrono::milliseconds(20 * round));
    const Exit exit = server.stop();
    ASSERT_EQ(exit.code, 0) << "round " << round << ": " << exit.err;
  }
  const Server last(project);
  for (const std::string& run : runs) last.wait_for_status(run, "completed");
}

TEST(Storms, O1_TheEndComesInTimeOnADiskThatTakesSeconds) {
  const Project project;
  busy_pipeline(project);
  ASSERT_EQ(wave(project, {"run", "busy"}).code, 0);  // the store is there
  Server server(project, {}, with_shim("slow_sync", {{"WAVE_SHIM_SYNC_MS", "1500"}}));
  std::vector<std::string> runs;
  for (int i = 0; i < 2; ++i) runs.push_back(server.submit({{"pipeline", "busy"}}));
  server.program().signal(SIGTERM);
  EXPECT_EQ(server.program().wait(kInTime).code, 0);
  const Server next(project);
  for (const std::string& run : runs) next.wait_for_status(run, "completed");
}

}  // namespace
}  // namespace wave::test
