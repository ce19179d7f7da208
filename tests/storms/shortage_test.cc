// Descriptors come and go while runs of all kinds go on: whatever piece of work happens to miss
// one, no accepted run fails for it (promise O11).
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "support/descriptors.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr int kQueuedRuns = 60;
constexpr std::chrono::seconds kStorm{25};
constexpr std::chrono::milliseconds kShort{400}, kCalm{300};

TEST(Storms, NoRunFailsWhileDescriptorsComeAndGo) {
  const Project project;
  project.pipeline("tree",
                   "  - id: make\n    type: command\n    workspace: {type: worktree}\n"
                   "    script: \"echo made > made.txt\"\n"
                   "    output_artifacts: [{name: made, path: made.txt, type: text}]\n"
                   "    handover: {contract: {type: non_empty_file, source: made.txt}}\n"
                   "  - id: use\n    type: command\n    dependencies: [make]\n"
                   "    workspace: {type: worktree}\n    script: \"true\"\n");
  project.pipeline("plain",
                   "  - id: a\n    type: command\n    script: \"sleep 0.2; echo done\"\n"
                   "    handover: {contract: {type: test_suite, command: \"true\"}}\n");
  Server server(project, {"--max-concurrent", "4"});
  std::vector<std::string> runs;
  for (int i = 0; i < kQueuedRuns; ++i) {
    runs.push_back(server.submit({{"pipeline", i % 2 == 0 ? "tree" : "plain"}}));
  }
  std::mt19937 random(4711);
  const auto until = std::chrono::steady_clock::now() + kStorm;
  while (std::chrono::steady_clock::now() < until) {
    {
      const FewDescriptors few(server.program().pid(), random() % 24);
      std::this_thread::sleep_for(kShort);
    }
    std::this_thread::sleep_for(kCalm);
  }
  for (const std::string& run : runs) {
    EXPECT_TRUE(wait_until(
        [&] {
          const auto status = get_string(get_object(server.run(run), "run"), "status");
          return status == "completed" || status == "failed" || status == "cancelled";
        },
        std::chrono::minutes(3)));
    const json::object now = get_object(server.run(run), "run");
    EXPECT_EQ(get_string(now, "status"), "completed") << dump_json(now);
    expect_sound(events(project, run));
  }
  EXPECT_EQ(server.stop().code, 0);
}

}  // namespace
}  // namespace wave::test
