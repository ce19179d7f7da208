// S2: what happens to a step whose host and agent were lost is the pipeline's to say.
#include <gtest/gtest.h>

#include <csignal>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

// A run whose only step was cut off by the loss of its host, while its owner lives on.
struct Interrupted {
  Project project;
  std::unique_ptr<Program> owner;
  std::string run;

  explicit Interrupted(std::string_view on_interrupt) {
    project.pipeline(
        "long", "  - id: work\n    type: command\n    on_interrupt: " + std::string(on_interrupt) +
                    "\n    script: |\n"
                    "      echo begin\n      [ -e ../../../../second ] || sleep 600\n");
    owner = start_wave(project, {"run", "long"});
    run = wait_for_run(project);
    wait_for_event(project, run, "stream_activity", "work");
    project.write("second", "");
    const auto meta = parsed(project.read(".agents/state/runs/" + run + "/work.1.1/meta"));
    ::kill(static_cast<pid_t>(get_int(meta.as_object(), "host_pid")), SIGKILL);
  }
  [[nodiscard]] size_t starts() const {
    return count_events(events(project, run), "step_started", "work");
  }
  [[nodiscard]] Exit answer(const std::string& choice) const {
    const json::object gate = wait_for_event(project, run, "gate_waiting", "work");
    EXPECT_EQ(get_string(gate, "purpose"), "interrupt");
    return wave(project, {"gate", run, "work", "--choice", choice});
  }
};

TEST(Promises, S2_OnInterruptRerunRunsTheStepAgain) {
  Interrupted interrupted("rerun");
  EXPECT_EQ(interrupted.owner->wait().code, 0);
  EXPECT_EQ(interrupted.starts(), 2u);
  EXPECT_EQ(status(interrupted.project, interrupted.run), "completed");
}

TEST(Promises, S2_OnInterruptFailEndsTheStep) {
  Interrupted interrupted("fail");
  EXPECT_EQ(interrupted.owner->wait().code, 1);
  EXPECT_EQ(interrupted.starts(), 1u);
  EXPECT_EQ(status(interrupted.project, interrupted.run), "failed");
  EXPECT_TRUE(agents_of(interrupted.run).empty());
}

TEST(Promises, S2_OnInterruptGateAsksAndRunsAgain) {
  Interrupted interrupted("gate");
  EXPECT_EQ(interrupted.answer("rerun").code, 0);
  EXPECT_EQ(interrupted.owner->wait().code, 0);
  EXPECT_EQ(interrupted.starts(), 2u);
}

TEST(Promises, S2_OnInterruptGateAsksAndFails) {
  Interrupted interrupted("gate");
  EXPECT_EQ(interrupted.answer("fail").code, 0);
  EXPECT_EQ(interrupted.owner->wait().code, 1);
  EXPECT_EQ(interrupted.starts(), 1u);
  EXPECT_EQ(status(interrupted.project, interrupted.run), "failed");
}

}  // namespace
}  // namespace wave::test
