// Q: runs.
#include <gtest/gtest.h>

#include <csignal>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr std::string_view kSleeper =
    "  - id: work\n    type: command\n    script: \"echo ready; sleep 600\"\n";

TEST(Promises, Q5_CancelEndsTheWholeProcessTree) {
  const Project project;
  // A tool in a session of its own, as real agents start them: killing the process group misses it.
  project.pipeline(
      "tree",
      "  - id: work\n    type: command\n    script: |\n"
      "      setsid sleep 600 &\n      (sleep 600 &)\n      echo ready\n      sleep 600\n");
  const auto running = start_wave(project, {"run", "tree"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "work");
  ASSERT_FALSE(agents_of(run).empty());
  EXPECT_EQ(wave(project, {"cancel", run}).code, 0);
  EXPECT_EQ(running->wait().code, 8);
  EXPECT_EQ(status(project, run), "cancelled");
  EXPECT_TRUE(agents_of(run).empty());
  EXPECT_EQ(count_events(events(project, run), "run_cancelled"), 1u);
  expect_sound(events(project, run));
}

TEST(Promises, Q5_CancelOfATerminalRunIsAConflict) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  ASSERT_EQ(wave(project, {"run", "quick"}).code, 0);
  const std::string run = newest_run(project).value_or("");
  const auto before = events(project, run);
  const Exit cancel = wave(project, {"cancel", run});
  EXPECT_EQ(cancel.code, 5);
  EXPECT_TRUE(cancel.err.contains("conflict")) << cancel.err;
  EXPECT_EQ(wave(project, {"cancel", run, "--force"}).code, 5);
  EXPECT_EQ(events(project, run), before);
}

TEST(Promises, Q5_AProgramThatIgnoresTermIsKilled) {
  const Project project;
  project.manifest_append("  timeouts: {process_grace_seconds: 1}\n");
  project.pipeline("deaf",
                   "  - id: work\n    type: command\n    script: |\n"
                   "      trap '' TERM\n      echo ready\n      while :; do sleep 1; done\n");
  const auto running = start_wave(project, {"run", "deaf"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "work");
  EXPECT_EQ(wave(project, {"cancel", run, "--force"}).code, 0);
  EXPECT_EQ(running->wait().code, 8);
  EXPECT_TRUE(agents_of(run).empty());
}

TEST(Promises, Q7_EditingFilesDoesNotChangeWhatResumeDoes) {
  const Project project;
  project.pipeline(
      "two",
      "  - {id: first, type: command, script: \"echo one; exit 1\"}\n"
      "  - {id: second, type: command, dependencies: [first], script: \"echo two\"}\n");
  ASSERT_EQ(wave(project, {"run", "two"}).code, 1);
  const std::string origin = newest_run(project).value_or("");
  const auto before = events(project, origin);
  // Everything the run read is replaced, or gone.
  project.pipeline("two", "  - {id: first, type: command, script: \"echo changed\"}\n");
  std::filesystem::remove(project.root() / ".agents/personas/worker.md");
  project.write("wave.yaml", "nonsense");
  const Exit resumed = wave(project, {"resume", origin});
  EXPECT_EQ(resumed.code, 1) << resumed.err;
  const std::string fork = newest_run(project).value_or("");
  ASSERT_NE(fork, origin);
  const auto log = events(project, fork);
  EXPECT_EQ(get_string(log.at(0), "event"), "run_forked");
  EXPECT_EQ(get_string(log.at(0), "origin_run_id"), origin);
  bool said_one = false;
  for (const json::object& event : log) said_one |= get_string(event, "content").contains("one");
  EXPECT_TRUE(said_one) << "the script of the snapshot was not what ran";
  EXPECT_EQ(events(project, origin), before) << "a terminal run changed";
}

TEST(Promises, Q8_ACancelThatComesLateDoesNotOverwriteTheEnd) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  std::string run;
  for (int i = 0; i < 5; ++i) {
    const std::string before = run;
    const auto running = start_wave(project, {"run", "quick"});
    EXPECT_TRUE(wait_until([&] { return (run = newest_run(project).value_or("")) != before; }));
    const Exit cancel = wave(project, {"cancel", run});
    const Exit ran = running->wait();
    const std::string end = status(project, run);
    EXPECT_TRUE((ran.code == 0 && end == "completed") || (ran.code == 8 && end == "cancelled"))
        << ran.code << " " << end << "\n"
        << ran.out << ran.err << cancel.out << cancel.err << wave(project, {"logs", run}).out;
    expect_sound(events(project, run));
  }
}

TEST(Promises, Q4_AnInterruptedRunGoesOnFromWhereItWas) {
  const Project project;
  project.pipeline(
      "chain",
      "  - {id: a, type: command, script: \"echo a >> ../../../../ran; true\"}\n"
      "  - {id: b, type: command, dependencies: [a], script: \"echo ready; sleep 2\"}\n"
      "  - {id: c, type: command, dependencies: [b], script: \"true\"}\n");
  std::string run;
  {
    const auto running = start_wave(project, {"run", "chain"});
    run = wait_for_run(project);
    wait_for_event(project, run, "stream_activity", "b");
    running->signal(SIGKILL);
    running->wait();
  }
  EXPECT_EQ(status(project, run), "running");
  EXPECT_EQ(wave(project, {"resume", run}).code, 0);
  const auto log = events(project, run);
  EXPECT_EQ(count_events(log, "step_started", "a"), 1u);
  EXPECT_EQ(count_events(log, "step_started", "b"), 1u)
      << "the agent worked on; it was not started again";
  EXPECT_EQ(count_events(log, "step_completed", "c"), 1u);
  EXPECT_EQ(project.read("ran"), "a\n");
  expect_sound(log);
}

TEST(Promises, Q5_CancelOfARunWithoutOwnerEndsItsAgents) {
  const Project project;
  project.pipeline("sleeper", kSleeper);
  std::string run;
  {
    const auto running = start_wave(project, {"run", "sleeper"});
    run = wait_for_run(project);
    wait_for_event(project, run, "stream_activity", "work");
    running->signal(SIGKILL);
    running->wait();
  }
  ASSERT_FALSE(agents_of(run).empty());
  EXPECT_EQ(wave(project, {"cancel", run}).code, 0);
  // Nobody owns it: whoever cancels carries it out, or the next owner does.
  if (status(project, run) != "cancelled") (void)wave(project, {"resume", run});
  EXPECT_EQ(status(project, run), "cancelled");
  EXPECT_TRUE(wait_until([&] { return agents_of(run).empty(); }));
}

}  // namespace
}  // namespace wave::test
