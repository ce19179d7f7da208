#include "workspace/run_work.h"

#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "base/text.h"
#include "workspace/test_project.h"

namespace wave::workspace {
namespace {

class RunWork : public ProjectTest {
 protected:
  void SetUp() override {
    ProjectTest::SetUp();
    make_repository();
    made_ = must(prepare(request(Kind::kWorktree, "build")));
    admin_ = sh("git rev-parse --absolute-git-dir", made_.root);
  }
  Status take(bool agents_live = false) const {
    return take_over(project_, ".agents/workspaces", kRun, [=] { return agents_live; });
  }
  std::vector<fs::path> own_locks() const {
    const std::string run = kRun;
    return {project_ / ".git/refs/wave" / run / "build/1.1-start.lock",
            project_ / ".git/refs/heads/wave" / run / "build.lock",
            fs::path(admin_) / "index.lock",
            fs::path(admin_) / "HEAD.lock",
            fs::path(admin_) / "wave-index-aBcDeF",
            fs::path(admin_) / "wave-index-aBcDeF.lock"};
  }
  std::vector<fs::path> locks_of_others() const {
    return {project_ / ".git/index.lock", project_ / ".git/refs/heads/main.lock",
            project_ / ".git/refs/heads/wave/mine.lock",
            project_ / ".git/refs/wave/other-20260101-000000-0123456789/a/1.1.lock",
            project_ / ".git/worktrees/own/index.lock"};
  }

  Prepared made_;
  std::string admin_;
};

TEST_F(RunWork, RemovesTheLocksThatADeadOwnerLeft) {
  for (const fs::path& lock : own_locks()) put(lock, "");
  for (const fs::path& lock : locks_of_others()) put(lock, "");
  const Status taken = take();
  ASSERT_TRUE(taken) << full_message(taken.error());
  for (const fs::path& lock : own_locks()) EXPECT_FALSE(fs::exists(lock)) << lock;
  for (const fs::path& lock : locks_of_others()) EXPECT_TRUE(fs::exists(lock)) << lock;
}

TEST_F(RunWork, LeavesWhatALivingAgentsGitMayHold) {
  const std::vector<fs::path> locks = own_locks();
  for (const fs::path& lock : locks) put(lock, "");
  ASSERT_TRUE(take(true));
  EXPECT_FALSE(fs::exists(locks[0])) << "nobody but wave writes refs/wave";
  for (const size_t theirs : {1u, 2u, 3u}) EXPECT_TRUE(fs::exists(locks[theirs])) << locks[theirs];
  for (const size_t copy : {4u, 5u}) EXPECT_FALSE(fs::exists(locks[copy])) << locks[copy];
}

TEST_F(RunWork, RemovesARegistrationThatWasNeverFinished) {
  const std::string name = fs::path(admin_).filename();
  put(project_ / ".git/worktrees" / (name + "1") / "HEAD", "ref: refs/heads/main\n");
  put(project_ / ".git/worktrees/own/HEAD", "ref: refs/heads/main\n");
  ASSERT_TRUE(take());
  EXPECT_FALSE(fs::exists(project_ / ".git/worktrees" / (name + "1")));
  EXPECT_TRUE(fs::exists(project_ / ".git/worktrees/own"));
  EXPECT_TRUE(fs::exists(admin_));
}

/// A git that inherited the run's work lock from a wave that is dead, and writes until it is told
/// to end. Our own descriptor of the lock is gone when it returns.
class Orphan {
 public:
  Orphan(const fs::path& run_folder, const std::string& mark, const std::string& script) {
    auto lock = share_work(run_folder);
    EXPECT_TRUE(lock);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::setpgid(0, 0);
    ::dup2(lock->get(), 9);
    const std::string variable = std::string(kGitMark) + "=" + mark;
    const char* argv[] = {"sh", "-c", script.c_str(), nullptr};
    const char* env[] = {"PATH=/usr/bin:/bin", variable.c_str(), nullptr};
    ::execve("/bin/sh", const_cast<char**>(argv), const_cast<char**>(env));
    ::_exit(127);
  }
  Orphan(const Orphan&) = delete;
  Orphan& operator=(const Orphan&) = delete;
  ~Orphan() {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

// Says "ready" and works on, with a lock file that it removes at SIGTERM as git does.
std::string works_on(const fs::path& ready, const std::string& at_term) {
  return "trap '" + at_term + "' TERM; touch '" + ready.native() +
         "'; while :; do sleep 0.05; done";
}

void wait_for(const fs::path& file) {
  for (int i = 0; i < 1'000 && !fs::exists(file); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(fs::exists(file)) << file;
}

TEST_F(RunWork, EndsTheGitOfADeadOwner) {
  const fs::path ended = base_ / "ended";
  const Orphan git(run_folder(), kRun,
                   works_on(base_ / "ready", "touch \"" + ended.native() + "\"; exit 0"));
  wait_for(base_ / "ready");
  const Status taken = take();
  ASSERT_TRUE(taken) << full_message(taken.error());
  EXPECT_TRUE(fs::exists(ended)) << "it was asked to end first: git then removes its lock files";
}

TEST_F(RunWork, KillsOneThatDoesNotEnd) {
  const Orphan git(run_folder(), kRun, works_on(base_ / "ready", ""));
  wait_for(base_ / "ready");
  ASSERT_TRUE(take());
  int status = 0;
  EXPECT_EQ(::waitpid(git.pid(), &status, WNOHANG), git.pid());
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(RunWork, WaitsForOneThatCannotBeFound) {
  const fs::path ended = base_ / "ended";
  const Orphan git(
      run_folder(), "somebody-else",
      "touch '" + (base_ / "ready").native() + "'; sleep 1; touch '" + ended.native() + "'");
  wait_for(base_ / "ready");
  ASSERT_TRUE(take());
  EXPECT_TRUE(fs::exists(ended));
}

TEST_F(RunWork, TheGitOfAnotherRunIsLeftAlone) {
  const fs::path other = run_folder().parent_path() / "other-20260101-000000-0123456789";
  const Orphan git(other, other.filename(), works_on(base_ / "ready", "exit 0"));
  wait_for(base_ / "ready");
  ASSERT_TRUE(take());
  EXPECT_EQ(::waitpid(git.pid(), nullptr, WNOHANG), 0) << "it works on";
}

TEST_F(RunWork, ARunWithoutGitHasNothingToTakeOver) {
  EXPECT_TRUE(take_over(project_, ".agents/workspaces", "fresh-20260101-000000-0123456789",
                        [] { return false; }));
}

// A writer that goes on for a moment, as an orphan does until its signal arrives.
TEST_F(RunWork, RemovingAFolderOutlastsWhoStillWritesIntoIt) {
  const fs::path folder = base_ / "busy";
  put(folder / "deep/first", "1");
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop && i < 30'000; ++i) {
      (void)write_file(folder / "deep" / std::to_string(i % 500), "x");
      (void)write_file(folder / ("top" + std::to_string(i % 500)), "x");
    }
  });
  std::thread ender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop = true;
  });
  const Status removed = remove_tree(folder);
  ender.join();
  writer.join();
  EXPECT_TRUE(removed) << full_message(removed.error());
}

}  // namespace
}  // namespace wave::workspace
