#include "process/agent_guard.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/marked_processes.h"
#include "cli/test_folder.h"

namespace wave::cli {
namespace {

using std::string_literals::operator""s;

/// A /proc of three processes: 10 is the child of 20, which is the child of 30.
class Proc {
 public:
  Proc() {
    add(10, "(sh) S 20 1 1", "PATH=/bin\0HOME=/\0"s);
    add(20, "(a) name) with (odd) parts) S 30 1 1", "PATH=/bin\0"s);
    add(30, "(wave) S 1 1 1", "HOME=/\0"s);
  }
  void add(int pid, const std::string& stat, const std::string& environment) const {
    folder_.write(std::to_string(pid) + "/stat", std::to_string(pid) + " " + stat);
    folder_.write(std::to_string(pid) + "/environ", environment);
  }
  [[nodiscard]] std::string path() const { return folder_.path().string(); }

 private:
  TestFolder folder_;
};

TEST(Promises, G10_TheMarkInTheOwnEnvironmentIsSeen) {
  EXPECT_EQ(process::calling_agent({{"WAVE_AGENT", "run/step"}}), "run/step");
}

TEST(Promises, G10_TheMarkOfAnAncestorIsSeen) {
  const Proc proc;
  EXPECT_FALSE(process::agent_above(10, proc.path()).has_value());
  proc.add(30, "(wave) S 1 1 1", "HOME=/\0WAVE_AGENT=run/step\0"s);
  EXPECT_EQ(process::agent_above(10, proc.path()), "run/step");
}

TEST(AgentGuard, ALongerNameIsAnotherVariable) {
  const Proc proc;
  proc.add(10, "(sh) S 1 1 1", "NOT_WAVE_AGENT=x\0WAVE_AGENTS=y\0"s);
  EXPECT_FALSE(process::agent_above(10, proc.path()).has_value());
}

TEST(AgentGuard, ACircleOfParentsEnds) {
  const Proc proc;
  proc.add(30, "(wave) S 10 1 1", "");
  EXPECT_FALSE(process::agent_above(10, proc.path()).has_value());
}

TEST(AgentGuard, ARealProcessIsSeen) {
  int ready[2], hold[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(hold), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(hold[0], 0);
    ::dup2(ready[1], 1);
    char shell[] = "sh", dash_c[] = "-c", script[] = "echo up; read -r line";
    char mark[] = "WAVE_AGENT=test-run/step.1.1", path[] = "PATH=/usr/bin:/bin";
    char* argv[] = {shell, dash_c, script, nullptr};
    char* envp[] = {mark, path, nullptr};
    ::execve("/bin/sh", argv, envp);
    ::_exit(127);
  }
  char up = 0;
  EXPECT_EQ(::read(ready[0], &up, 1), 1);
  EXPECT_EQ(process::agent_above(child), "test-run/step.1.1");
  const auto marked = marked_processes();
  const auto found = marked.find("test-run/step.1.1");
  ASSERT_NE(found, marked.end());
  EXPECT_EQ(found->second, std::vector<int>{child});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (const int fd : {ready[0], ready[1], hold[0], hold[1]}) ::close(fd);
}

}  // namespace
}  // namespace wave::cli
