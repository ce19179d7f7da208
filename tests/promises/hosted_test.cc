// O9: programs that run for contracts, reviews and hooks hold up nobody else, however long they
// take.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr size_t kMany = 6;  // more than the pool has threads

/// A shell line that waits for the file `go` in the project.
std::string waits_for_go(const Project& project) {
  return "while [ ! -e " + (project.root() / "go").native() + " ]; do sleep 0.05; done";
}

/// Starts many runs of the pipeline, waits until the slow program of each is at work, and expects a
/// run of something else to come and go meanwhile.
void expect_others_run_meanwhile(const Project& project, const std::string& pipeline,
                                 const std::string& launch) {
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project, {"--max-concurrent", "20"});
  std::vector<std::string> slow;
  for (size_t i = 0; i < kMany; ++i) {
    slow.push_back(server.submit(json::object{{"pipeline", pipeline}}));
  }
  for (const std::string& run : slow) {
    const auto runs = project.root() / ".agents/state/runs" / run / launch / "meta";
    EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(runs); })) << runs;
  }
  const std::string quick = server.submit(json::object{{"pipeline", "quick"}});
  server.wait_for_status(quick, "completed");
  for (const std::string& run : slow) EXPECT_EQ(status(project, run), "running");
  project.write("go", "go");
  for (const std::string& run : slow) server.wait_for_status(run, "completed");
}

TEST(Promises, O9_SlowChecksHoldUpNobodyElse) {
  const Project project;
  project.pipeline("checked",
                   "  - id: a\n    type: command\n    script: \"true\"\n    handover:\n      "
                   "contracts:\n        - {type: test_suite, command: \"" +
                       waits_for_go(project) + "\"}\n");
  expect_others_run_meanwhile(project, "checked", "a.1.1.contract-0-0");
}

TEST(Promises, O9_SlowHooksHoldUpNobodyElse) {
  const Project project;
  project.pipeline("hooked",
                   "  - {id: a, type: command, script: \"true\"}\nhooks:\n  - {name: slow, event: "
                   "step_start, type: command, command: \"" +
                       waits_for_go(project) + "\"}\n");
  expect_others_run_meanwhile(project, "hooked", "a.1.1.hook-step_start-0-0");
}

TEST(Promises, O9_SlowReviewersHoldUpNobodyElse) {
  const Project project;
  project.write("criteria.md", "- It is fine.\n");
  // A reviewer has no shell, so it waits by itself.
  project.script("reviewer", "actions:\n  - wait_for: " + (project.root() / "go").native() +
                                 "\n  - say: '{\"verdict\": \"pass\"}'\n");
  project.pipeline("reviewed",
                   "  - id: a\n    type: command\n    script: echo text > out.txt\n    "
                   "output_artifacts:\n      - {name: out, path: out.txt, type: text}\n    "
                   "handover:\n      contracts:\n        - {type: agent_review, source: out.txt, "
                   "persona: reviewer, criteria_path: criteria.md}\n");
  expect_others_run_meanwhile(project, "reviewed", "a.1.1.contract-0-0");
}

/// As many as work in worktrees at a time, each with a git that does not come to an end.
TEST(Promises, O9_SlowGitHoldsUpNobodyElse) {
  const Project project;
  const std::string path = project.environment().at("PATH");
  const std::string begun = (project.root() / "begun").native();
  project.write("bin/git", "#!/bin/sh\nPATH='" + path +
                               "'\ncase \" $* \" in *' reset '*)\n  echo one >> '" + begun + "'; " +
                               waits_for_go(project) + ";; esac\nexec git \"$@\"\n");
  std::filesystem::permissions(project.root() / "bin/git", std::filesystem::perms::all);
  project.pipeline(
      "wt",
      "  - {id: a, type: command, workspace: {type: worktree}, script: \"echo x > new.txt\"}\n");
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project, {"--max-concurrent", "20"},
                      {{"PATH", (project.root() / "bin").native() + ":" + path}});
  std::vector<std::string> slow;
  for (size_t i = 0; i < kMany; ++i) {
    slow.push_back(server.submit(json::object{{"pipeline", "wt"}}));
  }
  constexpr size_t kThreads = 4;
  EXPECT_TRUE(wait_until([&] {
    const std::string lines = std::filesystem::exists(begun) ? project.read("begun") : "";
    return static_cast<size_t>(std::ranges::count(lines, '\n')) >= kThreads;
  }));
  server.wait_for_status(server.submit(json::object{{"pipeline", "quick"}}), "completed");
  project.write("go", "go");
  for (const std::string& run : slow) server.wait_for_status(run, "completed");
}

/// A check that was at work when the server died is found by the next one, and not started again.
TEST(Promises, S1_ACheckOutlivesTheServer) {
  const Project project;
  const std::string starts = (project.root() / "starts").native();
  project.pipeline("checked",
                   "  - id: a\n    type: command\n    script: \"true\"\n    handover:\n      "
                   "contracts:\n        - {type: test_suite, command: \"echo one >> " +
                       starts + "; " + waits_for_go(project) + "\"}\n");
  Server server(project);
  const std::string run = server.submit(json::object{{"pipeline", "checked"}});
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(starts); }));
  server.kill();
  const Server next(project);
  project.write("go", "go");
  next.wait_for_status(run, "completed");
  EXPECT_EQ(project.read("starts"), "one\n");
}

}  // namespace
}  // namespace wave::test
