// What holds for every program of a run, whatever it is for: a step, a contract's check, a hook.
#include <gtest/gtest.h>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

/// A block of YAML: more shell comments than the kernel takes in one argument, then this line.
std::string long_script(const std::string& indent, const std::string& line) {
  std::string text = "|\n";
  while (text.size() < 300'000) text += indent + "# a comment that fills the script\n";
  return text + indent + line + "\n";
}

class LongScript : public testing::TestWithParam<std::string> {};

TEST_P(LongScript, RunsInAStepOfAnyWorkspace) {
  const Project project;
  project.pipeline("long", "  - id: a\n    type: command\n    workspace: " + GetParam() +
                               "\n    script: " + long_script("      ", "echo \"here: $(pwd)\""));
  const Exit exit = wave(project, {"run", "long"});
  EXPECT_EQ(exit.code, 0) << exit.out << exit.err;
  const auto log = events(project, newest_run(project).value_or(""));
  EXPECT_EQ(count_events(log, "step_completed", "a"), 1u);
  EXPECT_EQ(project.git({"status", "--porcelain", "--untracked-files=no"}).out, "");
}
INSTANTIATE_TEST_SUITE_P(Workspaces, LongScript,
                         testing::Values("{type: \"\"}", "{type: worktree}",
                                         "{mount: [{source: ./, target: /project, mode: "
                                         "readwrite}]}"));

TEST(LongScripts, RunInContracts) {
  const Project project;
  const auto contract = [&](const std::string& line) {
    project.pipeline("long",
                     "  - id: a\n    type: command\n    script: \"true\"\n    handover:\n   "
                     "   contracts:\n        - type: test_suite\n          command: " +
                         long_script("            ", line));
    return wave(project, {"run", "long"});
  };
  const Exit passed = contract("exit 0");
  EXPECT_EQ(passed.code, 0) << passed.out << passed.err;
  const Exit failed = contract("echo the suite says no >&2; exit 3");
  EXPECT_EQ(failed.code, 1);
  EXPECT_TRUE((failed.out + failed.err).contains("exit code 3")) << failed.out << failed.err;
}

TEST(LongScripts, RunInHooks) {
  const Project project;
  project.pipeline("long",
                   "  - {id: a, type: command, script: \"true\"}\nhooks:\n  - name: guard\n "
                   "   event: step_start\n    type: command\n    command: " +
                       long_script("      ", "touch hook-ran"));
  const Exit exit = wave(project, {"run", "long"});
  EXPECT_EQ(exit.code, 0) << exit.out << exit.err;
  EXPECT_TRUE(std::filesystem::exists(project.root() / "hook-ran"));
}

TEST(Hooks, PrintNoMoreThanASpoolMayHold) {
  const Project project;
  project.manifest_append("  max_output_size: 1048576\n");
  project.pipeline("loud",
                   "  - {id: a, type: command, script: \"true\"}\nhooks:\n  - {name: loud, event: "
                   "step_start, type: command, timeout: 20s, command: \"head -c 5000000 /dev/zero; "
                   "sleep 600\"}\n");
  EXPECT_EQ(wave(project, {"run", "loud"}).code, 1);
  const auto log = events(project, newest_run(project).value_or(""));
  std::string message;
  for (const json::object& event : log) {
    if (get_string(event, "event") == "hook_failed") message = get_string(event, "message");
  }
  EXPECT_TRUE(message.contains("output_limit")) << message;
}

TEST(Hooks, HaveTheGracePeriodThatTheManifestSays) {
  const Project project;
  project.manifest_append("  timeouts: {process_grace_seconds: 30}\n");
  // Longer than the grace period where nothing is said.
  project.pipeline(
      "slow",
      "  - {id: a, type: command, script: \"true\"}\nhooks:\n  - name: slow\n    event: "
      "step_start\n    type: command\n    timeout: 300ms\n    command: |\n      trap "
      "'sleep 4; touch cleaned-up; exit 1' TERM\n      while :; do sleep 0.1; done\n");
  EXPECT_EQ(wave(project, {"run", "slow"}).code, 1);
  EXPECT_TRUE(std::filesystem::exists(project.root() / "cleaned-up"));
}

TEST(Hooks, AndChecksKnowTheirRun) {
  const Project project;
  project.pipeline("named",
                   "  - id: a\n    type: command\n    script: \"true\"\n    handover:\n      "
                   "contracts:\n        - {type: test_suite, command: \"echo $WAVE_RUN_ID "
                   "$WAVE_STEP_ID >> " +
                       (project.root() / "seen").native() +
                       "\"}\nhooks:\n  - {name: h, event: step_start, type: command, command: "
                       "\"echo $WAVE_RUN_ID $WAVE_STEP_ID >> seen\"}\n");
  const Exit exit = wave(project, {"run", "named"});
  EXPECT_EQ(exit.code, 0) << exit.out << exit.err;
  const std::string line = newest_run(project).value_or("") + " a\n";
  EXPECT_EQ(project.read("seen"), line + line);
}

}  // namespace
}  // namespace wave::test
