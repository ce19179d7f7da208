// O10: a program that is asked to end does so in order, whatever is under way. O1, Q5: and in time.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>

#include <csignal>

#include "base/file.h"
#include "support/server.h"
#include "support/shim.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::AnyOf;

constexpr std::chrono::seconds kInTime{5};  // the promise's own deadline

std::map<std::string, std::string> slow_disk() {
  return with_shim("slow_sync", {{"WAVE_SHIM_SYNC_MS", "100"}});
}

/// Steps in a row, so that at any moment something is about to be stored.
void busy_pipeline(const Project& project) {
  std::string steps = "  - {id: s0, type: command, script: \"true\"}\n";
  for (int i = 1; i < 6; ++i) {
    steps += "  - {id: s" + std::to_string(i) +
             ", type: command, script: \"true\", dependencies: [s" + std::to_string(i - 1) + "]}\n";
  }
  project.pipeline("busy", steps);
}

/// Asks a program that drives a run to end. It may just have come to the run's own end.
void expect_ends_in_order(Program& program) {
  program.signal(SIGTERM);
  const Exit exit = program.wait();
  EXPECT_THAT(exit.code, AnyOf(0, 130)) << exit.out << exit.err;
}

TEST(Promises, O10_AServerEndsInOrderWhileRunsAreStored) {
  const Project project;
  busy_pipeline(project);
  ASSERT_EQ(wave(project, {"run", "busy"}).code, 0);  // the store is there
  std::vector<std::string> runs;
  {
    Server server(project, {}, slow_disk());
    for (int i = 0; i < 3; ++i) runs.push_back(server.submit({{"pipeline", "busy"}}));
    server.wait_for_status(runs.back(), "running");
    const Exit exit = server.stop();
    EXPECT_EQ(exit.code, 0) << exit.err;
  }
  const Server next(project);
  for (const std::string& run : runs) next.wait_for_status(run, "completed");
}

TEST(Promises, O10_ARunOfTheTerminalAndItsOwnerInTheBackgroundEndInOrder) {
  const Project project;
  busy_pipeline(project);
  const auto foreground = start_wave(project, {"run", "busy", "-o", "json"}, slow_disk());
  ASSERT_TRUE(wait_until([&] { return foreground->out().contains("step_started"); }))
      << foreground->err();
  expect_ends_in_order(*foreground);
  const std::string run = newest_run(project).value_or("");
  const size_t before = events(project, run).size();
  const auto owner = start_wave(project, {"__own", run}, slow_disk());
  ASSERT_TRUE(wait_until([&] { return events(project, run).size() > before || owner->ended(); }))
      << owner->err();
  expect_ends_in_order(*owner);
  (void)wave(project, {"resume", run, "-q"});  // unless it has come to its end already
  EXPECT_TRUE(wait_for_status(project, run, "completed"));
  expect_sound(events(project, run));
}

/// A project where git waits for the rules of what is ignored, as it does for a slow disk: they
/// come through a FIFO that nobody writes.
class SlowGit {
 public:
  SlowGit() {
    EXPECT_EQ(::mkfifo(rules().c_str(), 0600), 0);
    (void)project.git({"config", "core.excludesFile", rules()});
    project.pipeline("slow",
                     "  - id: a\n    type: command\n    workspace: {type: worktree}\n"
                     "    script: \"echo x > x.slow\"\n");
  }
  /// Waits until git is at it, and keeps it there.
  void wait_until_busy() {
    EXPECT_TRUE(wait_until([&] {
      held_ = UniqueFd(::open(rules().c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
      return held_.valid();
    }));
  }
  /// Whether nobody reads any more what git was reading.
  [[nodiscard]] bool is_gone() const {
    return wait_until([&] {
      pollfd end{held_.get(), 0, 0};
      return ::poll(&end, 1, 0) == 1 && (end.revents & POLLERR) != 0;
    });
  }
  /// From here on git does not wait.
  void hurry() const { (void)project.git({"config", "--unset", "core.excludesFile"}); }
  void expect_sound_repository() const {
    EXPECT_EQ(project.git({"fsck", "--no-dangling"}).code, 0);
    const Exit locks = run({"find", ".git", "-name", "*.lock", "-not", "-name", "wave-*"},
                           project.root(), project.environment());
    EXPECT_EQ(locks.out, "");
  }

  Project project;

 private:
  [[nodiscard]] std::string rules() const { return (project.root() / "rules").native(); }
  UniqueFd held_;
};

TEST(Promises, O1_TheEndBreaksOffGitAndTheNextServerGoesOn) {
  SlowGit at;
  Server server(at.project);
  const std::string run = server.submit({{"pipeline", "slow"}});
  at.wait_until_busy();
  server.program().signal(SIGTERM);
  EXPECT_EQ(server.program().wait(kInTime).code, 0);
  EXPECT_TRUE(at.is_gone());
  at.hurry();
  const Server next(at.project);
  next.wait_for_status(run, "completed");
  at.expect_sound_repository();
}

TEST(Promises, O1_ARunOfTheTerminalBreaksOffGitAsWell) {
  SlowGit at;
  const auto run = start_wave(at.project, {"run", "slow"});
  at.wait_until_busy();
  run->signal(SIGTERM);
  EXPECT_EQ(run->wait(kInTime).code, 130);
  EXPECT_TRUE(at.is_gone());
  at.hurry();
  EXPECT_EQ(wave(at.project, {"resume", newest_run(at.project).value_or("")}).code, 0);
  at.expect_sound_repository();
}

TEST(Promises, Q5_AForcedCancelBreaksOffGit) {
  SlowGit at;
  const Server server(at.project);
  const std::string run = server.submit({{"pipeline", "slow"}});
  at.wait_until_busy();
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_EQ(wave(at.project, {"cancel", run, "--force"}).code, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(15)) << "git takes 60 s";
  EXPECT_EQ(status(at.project, run), "cancelled");
  EXPECT_TRUE(at.is_gone());
  at.expect_sound_repository();
}

TEST(Promises, O1_TheEndBreaksOffWhatRetentionRemoves) {
  const Project project;
  project.pipeline("many",
                   "  - id: a\n    type: command\n"
                   "    script: \"i=0; while [ $i -lt 400 ]; do i=$((i+1)); : > f$i; done\"\n");
  ASSERT_EQ(wave(project, {"run", "many"}).code, 0);
  const std::string old = newest_run(project).value_or("");
  ASSERT_EQ(wave(project, {"run", "many"}).code, 0);
  project.manifest_append("  retention: {max_runs: 1}\n");
  const auto left = [&] {
    std::error_code error;
    size_t files = 0;
    for (std::filesystem::recursive_directory_iterator
             found(project.root() / ".agents/workspaces" / old, error),
         end;
         !error && found != end; found.increment(error)) {
      ++files;
    }
    return files;
  };
  const size_t all = left();
  ASSERT_GT(all, 400U);
  {
    Server server(project, {}, with_shim("slow_unlink", {{"WAVE_SHIM_UNLINK_MS", "50"}}));
    ASSERT_TRUE(wait_until([&] { return left() < all; }));
    server.program().signal(SIGTERM);
    EXPECT_EQ(server.program().wait(kInTime).code, 0);
  }
  EXPECT_GT(left(), 0U);
  const Server next(project);
  EXPECT_TRUE(wait_until([&] { return next.get("/api/runs/" + old).status == 410; }));
  EXPECT_EQ(left(), 0U);
}

}  // namespace
}  // namespace wave::test
