// O9: a command line that is suspended (Ctrl-Z) holds up neither the server nor other command
// lines.
#include <gmock/gmock.h>

#include <csignal>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr std::string_view kQuickStep = "  - {id: a, type: command, script: \"true\"}\n";
constexpr std::string_view kNoise =
    "  - id: a\n    type: command\n    script: |\n"
    "      i=0; while [ ! -e stop-the-noise ]; do i=$((i+1)); echo line $i; done\n";

/// A run in the foreground that prints without end.
class NoisyRun {
 public:
  explicit NoisyRun(const Project& project)
      : program_(start_wave(project, {"run", "noise", "-q"})) {
    EXPECT_TRUE(wait_until([&] {
      const auto run = newest_run(project);
      if (run && run->starts_with("noise")) run_ = *run;
      return !run_.empty();
    }));
    wait_for_event(project, run_, "stream_activity", "a");
  }
  ~NoisyRun() {
    program_->signal(SIGKILL);
    (void)program_->wait();
    for (const pid_t pid : agents_of(run_)) ::kill(pid, SIGKILL);
  }
  NoisyRun(const NoisyRun&) = delete;
  NoisyRun& operator=(const NoisyRun&) = delete;
  void suspend(int signal) const { program_->signal(signal); }
  void go_on() const { program_->signal(SIGCONT); }

 private:
  std::unique_ptr<Program> program_;
  std::string run_;
};

TEST(Promises, O9_ASuspendedRunDoesNotStopTheServer) {
  const Project project;
  project.pipeline("quick", kQuickStep);
  project.pipeline("noise", kNoise);
  const Server server(project);
  const NoisyRun noise(project);
  for (int round = 0; round < 8; ++round) {
    // Also SIGSTOP, which nobody can catch.
    noise.suspend(round % 2 == 0 ? SIGTSTP : SIGSTOP);
    const Answer answer = server.post("/api/runs", json::object{{"pipeline", "quick"}});
    EXPECT_EQ(answer.status, 201) << answer.body;
    noise.go_on();
  }
}

TEST(Promises, O9_ASuspendedRunDoesNotStopOtherCommandLines) {
  const Project project;
  project.pipeline("quick", kQuickStep);
  project.pipeline("noise", kNoise);
  const NoisyRun noise(project);
  for (int round = 0; round < 4; ++round) {
    noise.suspend(SIGTSTP);
    EXPECT_EQ(wave(project, {"run", "quick", "-q"}).code, 0);
    noise.go_on();
  }
}

}  // namespace
}  // namespace wave::test
