// Hooks and the budget, against the real binary.
#include <gtest/gtest.h>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr std::string_view kTwoSteps =
    "  - {id: one, type: command, script: \"true\"}\n"
    "  - {id: two, type: command, dependencies: [one], script: \"touch ../../../../two-ran\"}\n";

// A pipeline of two steps with one hook on the start of the second.
struct Hooked {
  Project project;
  Exit exit;
  std::vector<json::object> log;

  Hooked(const std::string& command, const std::string& more) {
    project.pipeline("hooked", std::string(kTwoSteps) +
                                   "hooks:\n  - name: guard\n    event: step_start\n    type: "
                                   "command\n    matcher: two\n    command: '" +
                                   command + "'\n" + more);
    exit = wave(project, {"run", "hooked"});
    log = events(project, newest_run(project).value_or(""));
  }
  [[nodiscard]] bool second_step_ran() const {
    return std::filesystem::exists(project.root() / "two-ran");
  }
};

TEST(Hooks, ABlockingHookThatSaysNoKeepsItsStepFromRunning) {
  const Hooked hooked("echo not on a friday >&2; exit 2", "");
  EXPECT_EQ(hooked.exit.code, 1) << hooked.exit.err;
  EXPECT_FALSE(hooked.second_step_ran());
  EXPECT_EQ(count_events(hooked.log, "hook_failed", "two"), 1u);
  EXPECT_EQ(count_events(hooked.log, "hook_failed", "one"), 0u) << "the matcher names the second";
  EXPECT_TRUE((hooked.exit.out + hooked.exit.err).contains("not on a friday"))
      << hooked.exit.out << hooked.exit.err;
}

TEST(Hooks, ABlockingHookThatBreaksBlocksToo) {
  const Hooked hooked("exit 1", "");
  EXPECT_EQ(hooked.exit.code, 1);
  EXPECT_FALSE(hooked.second_step_ran());
}

TEST(Hooks, FailOpenForgivesAHookThatBreaks) {
  const Hooked hooked("exit 1", "    fail_open: true\n");
  EXPECT_EQ(hooked.exit.code, 0) << hooked.exit.err;
  EXPECT_TRUE(hooked.second_step_ran());
  EXPECT_EQ(count_events(hooked.log, "hook_failed", "two"), 1u);
}

TEST(Hooks, FailOpenDoesNotForgiveANo) {
  const Hooked hooked("exit 2", "    fail_open: true\n");
  EXPECT_EQ(hooked.exit.code, 1);
  EXPECT_FALSE(hooked.second_step_ran());
}

TEST(Hooks, AHookThatDoesNotBlockOnlyLeavesItsMark) {
  const Hooked hooked("exit 2", "    blocking: false\n");
  EXPECT_EQ(hooked.exit.code, 0) << hooked.exit.err;
  EXPECT_TRUE(hooked.second_step_ran());
  EXPECT_EQ(count_events(hooked.log, "hook_failed", "two"), 1u);
}

TEST(Hooks, AHookThatHangsIsEndedAndBlocks) {
  const Hooked hooked("sleep 600", "    timeout: 200ms\n");
  EXPECT_EQ(hooked.exit.code, 1);
  EXPECT_FALSE(hooked.second_step_ran());
}

TEST(Hooks, AHookKnowsWhatItIsAbout) {
  const Hooked hooked("env > hook-env", "");
  EXPECT_EQ(hooked.exit.code, 0) << hooked.exit.err;
  const std::string environment = hooked.project.read("hook-env");
  EXPECT_TRUE(environment.contains("WAVE_HOOK_EVENT=step_start\n")) << environment;
  EXPECT_TRUE(environment.contains("WAVE_HOOK_STEP_ID=two\n")) << environment;
  EXPECT_TRUE(environment.contains("WAVE_HOOK_PIPELINE=hooked\n")) << environment;
  EXPECT_EQ(count_events(hooked.log, "hook_passed", "two"), 1u);
}

TEST(Budget, NothingStartsOnceTheCeilingIsReached) {
  const Project project;
  project.manifest_append("  cost: {budget_ceiling: 1.0, warn_at: 0.5}\n");
  std::string steps;
  for (const char* name : {"a", "b", "c"}) {
    project.script(name, "actions:\n  - usage: {in: 10, out: 5, cost: 0.6}\n  - say: done\n");
    steps += "  - {id: " + std::string(name) +
             ", persona: worker, exec: {type: prompt, source: go}" +
             (*name == 'a' ? "" : ", dependencies: [" + std::string(1, *name - 1) + "]") + "}\n";
  }
  project.pipeline("dear", steps);
  const Exit exit = wave(project, {"run", "dear"});
  EXPECT_EQ(exit.code, 1) << exit.out << exit.err;
  EXPECT_TRUE((exit.out + exit.err).contains("budget_ceiling")) << exit.out << exit.err;
  const std::string run = newest_run(project).value_or("");
  const auto log = events(project, run);
  EXPECT_EQ(count_events(log, "step_completed", "a"), 1u);
  EXPECT_EQ(count_events(log, "step_started", "b"), 1u) << "1.2 is known only after it";
  EXPECT_EQ(count_events(log, "step_started", "c"), 0u);
  EXPECT_EQ(get_string(log.back(), "event"), "run_failed");
  EXPECT_EQ(get_string(log.back(), "failure_class"), "budget_exhausted");
  expect_sound(log);
}

TEST(Budget, ARunBelowTheCeilingCompletes) {
  const Project project;
  project.manifest_append("  cost: {budget_ceiling: 1.0}\n");
  project.script("a", "actions:\n  - usage: {in: 10, out: 5, cost: 0.6}\n  - say: done\n");
  project.pipeline("cheap", "  - {id: a, persona: worker, exec: {type: prompt, source: go}}\n");
  EXPECT_EQ(wave(project, {"run", "cheap"}).code, 0);
}

}  // namespace
}  // namespace wave::test
