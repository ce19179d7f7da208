// Q: helpers that do not answer. A host or launcher that somebody has stopped, or holds in a
// debugger, is the trouble of its own run alone, and a cancel ends that one all the same.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "base/text.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr std::string_view kUntilGo =
    "  - id: a\n    type: command\n    script: |\n"
    "      while [ ! -e ../../../../go ]; do echo tick; sleep 0.05; done\n";

/// Processes of this name among those of the project.
std::vector<pid_t> named(const Project& project, const std::string& name) {
  std::vector<pid_t> found;
  for (const pid_t pid : processes_with("HOME=" + project.environment().at("HOME"))) {
    std::string comm;
    std::ifstream(fmt::format("/proc/{}/comm", pid)) >> comm;
    if (comm == name) found.push_back(pid);
  }
  return found;
}

/// Holds processes as a debugger does: SIGCONT does not let them go on.
class Debugger {
 public:
  void hold(pid_t pid) {
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) return;
    ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    ::waitpid(pid, nullptr, __WALL);
    held_.push_back(pid);
  }
  void let_go() {
    for (const pid_t pid : std::exchange(held_, {})) {
      if (::ptrace(PTRACE_DETACH, pid, nullptr, nullptr) != 0) ::waitpid(pid, nullptr, __WALL);
    }
  }
  [[nodiscard]] size_t holds() const { return held_.size(); }
  ~Debugger() { let_go(); }

 private:
  std::vector<pid_t> held_;
};

size_t ticks(const Project& project, const std::string& run) {
  return count_events(events(project, run), "stream_activity", "a");
}

class DeafHost : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Promises, DeafHost, testing::Bool(),
                         [](const auto& force) { return force.param ? "Force" : "Gracefully"; });

TEST_P(DeafHost, Q5_ACancelEndsARunWhoseHostIsStopped) {
  const Project project;
  project.pipeline("long", kUntilGo);
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "long"}});
  ASSERT_TRUE(wait_until([&] { return ticks(project, run) > 0; }));
  for (const pid_t host : named(project, "wave-host")) ::kill(host, SIGSTOP);
  EXPECT_EQ(server.post("/api/runs/" + run + "/cancel", json::object{{"force", GetParam()}}).status,
            200);
  server.wait_for_status(run, "cancelled");
  EXPECT_TRUE(agents_of(run).empty());
}

TEST_P(DeafHost, Q5_ACancelEndsARunWhoseHostIsInADebugger) {
  const Project project;
  project.pipeline("long", kUntilGo);
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "long"}});
  ASSERT_TRUE(wait_until([&] { return ticks(project, run) > 0; }));
  Debugger debugger;
  for (const pid_t host : named(project, "wave-host")) debugger.hold(host);
  ASSERT_EQ(debugger.holds(), 1u);
  EXPECT_EQ(server.post("/api/runs/" + run + "/cancel", json::object{{"force", GetParam()}}).status,
            200);
  server.wait_for_status(run, "cancelled");
  EXPECT_TRUE(agents_of(run).empty());
}

TEST(Promises, O9_StoppedLaunchersAreWoken) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  for (const pid_t launcher : named(project, "wave-launcher")) ::kill(launcher, SIGSTOP);
  server.wait_for_status(server.submit({{"pipeline", "quick"}}), "completed");
}

// With all launchers held nothing new can start; but what runs is followed, and what waits starts
// as soon as it can.
TEST(Promises, O9_ALauncherThatDoesNotAnswerStopsNoOtherRun) {
  const Project project;
  project.pipeline("long", kUntilGo);
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "long"}});
  ASSERT_TRUE(wait_until([&] { return ticks(project, run) > 0; }));
  Debugger debugger;
  for (const pid_t launcher : named(project, "wave-launcher")) debugger.hold(launcher);
  ASSERT_GE(debugger.holds(), 1u);
  const std::string waiting = server.submit({{"pipeline", "quick"}});
  wait_for_event(project, waiting, "step_started", "a");
  const size_t before = ticks(project, run);
  EXPECT_TRUE(
      wait_until([&] { return ticks(project, run) > before + 20; }, std::chrono::seconds(10)));
  // A run that waits for a launcher can be cancelled as well.
  EXPECT_EQ(server.post("/api/runs/" + waiting + "/cancel", json::object{}).status, 200);
  server.wait_for_status(waiting, "cancelled");
  project.write("go", "");
  server.wait_for_status(run, "completed");
}

TEST(Promises, Q5_ACancelDoesNotWaitForAFlood) {
  const Project project;
  project.pipeline("flood",
                   "  - id: a\n    type: command\n    script: |\n"
                   "      yes 'a line of a log as builds print it, and nobody reads' |"
                   " head -c 200000000\n"
                   "      touch ../../../../printed\n      sleep 600\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "flood"}});
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(project.root() / "printed"); }));
  EXPECT_EQ(server.post("/api/runs/" + run + "/cancel", json::object{{"force", true}}).status, 200);
  EXPECT_TRUE(wait_until([&] { return agents_of(run).empty(); }, std::chrono::seconds(10)));
  server.wait_for_status(run, "cancelled");
}

}  // namespace
}  // namespace wave::test
