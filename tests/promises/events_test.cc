// E: the log and what is told of it.
#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <thread>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr int kLines = 150;

// An agent that says its numbers, slowly enough to be interrupted anywhere.
void counting_pipeline(const Project& project) {
  project.pipeline("count",
                   "  - id: count\n    type: command\n    script: |\n"
                   "      i=1\n      while [ $i -le 150 ]; do\n        echo \"number $i.\"\n"
                   "        sleep 0.01\n        i=$((i+1))\n      done\n");
}

std::string everything_said(const std::vector<json::object>& log) {
  std::string text;
  for (const json::object& event : log) {
    if (get_string(event, "event") == "stream_activity") {
      text += std::string(get_string(event, "content")) + "\n";
    }
  }
  return text;
}

void expect_each_number_once(const std::vector<json::object>& log) {
  const std::string said = everything_said(log);
  for (int i = 1; i <= kLines; ++i) {
    const std::string line = "number " + std::to_string(i) + ".";
    const size_t first = said.find(line);
    ASSERT_NE(first, std::string::npos) << line << " is lost";
    ASSERT_EQ(said.find(line, first + 1), std::string::npos) << line << " is doubled";
  }
}

TEST(Promises, E1_SequenceNumbersHaveNoHoles) {
  const Project project;
  project.pipeline("wide",
                   "  - {id: a, type: command, script: \"seq 50\"}\n"
                   "  - {id: b, type: command, script: \"seq 50\"}\n"
                   "  - {id: c, type: command, script: \"seq 50\", dependencies: [a, b]}\n");
  ASSERT_EQ(wave(project, {"run", "wide"}).code, 0);
  const auto log = events(project, newest_run(project).value_or(""));
  ASSERT_GT(log.size(), 10u);
  expect_sound(log);
}

TEST(Promises, E4_EverybodySeesTheSameEventsInTheSameOrder) {
  const Project project;
  counting_pipeline(project);
  const auto running = start_wave(project, {"run", "count", "-o", "json"});
  const std::string run = wait_for_run(project);
  const auto follower = start_wave(project, {"logs", run, "--follow", "--json"});
  const auto late = start_wave(project, {"logs", run, "--follow", "--json"});
  const std::string live = running->wait().out;
  EXPECT_EQ(follower->wait().out, live);
  EXPECT_EQ(late->wait().out, live);
  EXPECT_EQ(wave(project, {"logs", run, "--json"}).out, live);
}

TEST(Promises, E11_KillMinus9AtAnyMomentLosesAndDoublesNothing) {
  std::mt19937 random(20260101);  // the same moments every time, as far as the machine allows
  for (int round = 0; round < 8; ++round) {
    const Project project;
    counting_pipeline(project);
    std::string run;
    std::vector<json::object> seen;
    auto owner = start_wave(project, {"run", "count"});
    run = wait_for_run(project);
    for (int kills = 0; kills < 4; ++kills) {
      const auto patience = std::chrono::milliseconds(random() % 500);
      const bool over = wait_until([&] { return owner->ended(); }, patience);
      if (over) break;
      owner->signal(SIGKILL);
      owner->wait();
      const auto now = events(project, run);
      ASSERT_LE(seen.size(), now.size()) << "something seen was taken back";
      for (size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], now[i]);
      seen = now;
      owner = start_wave(project, {"resume", run});
    }
    const Exit end = owner->wait();
    if (status(project, run) != "completed") {
      ADD_FAILURE() << "round " << round << ": " << status(project, run) << "\n" << end.err;
      return;
    }
    const auto log = events(project, run);
    expect_sound(log);
    EXPECT_EQ(count_events(log, "step_started", "count"), 1u);
    expect_each_number_once(log);
    EXPECT_TRUE(agents_of(run).empty());
  }
}

TEST(Promises, E1_AnEventIsDurableBeforeAnybodySeesIt) {
  // Whatever the live output showed before the kill is in the log afterwards.
  const Project project;
  counting_pipeline(project);
  const auto running = start_wave(project, {"run", "count", "-o", "json"});
  ASSERT_TRUE(wait_until([&] { return running->out().contains("number 20."); }));
  running->signal(SIGKILL);
  const std::string shown = running->wait().out;
  const std::string run = newest_run(project).value_or("");
  const std::string complete = shown.substr(0, shown.rfind('\n') + 1);
  EXPECT_TRUE(wave(project, {"logs", run, "--json"}).out.starts_with(complete));
  (void)wave(project, {"cancel", run, "--force"});
}

}  // namespace
}  // namespace wave::test
