// Hosts that do not answer: stopped by a signal, held by a debugger, frozen with their cgroup.
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/attempt_files.h"
#include "process/follower_fixture.h"
#include "process/traced.h"

namespace wave::process {
namespace {

class DeafHostTest : public FollowerTest {
 protected:
  /// Follows until the end; `stop` is called once the program is up.
  HostExit end_of(const HostRequest& request, const std::function<void(Follower&)>& stop) {
    Collected got;
    std::unique_ptr<Follower> follower;
    FollowHandlers handlers = got.handlers([&] { loop_->stop(); });
    auto record = handlers.on_bytes;
    handlers.on_bytes = [&, record](bool err, uint64_t offset, std::string_view bytes) {
      record(err, offset, bytes);
      if (got.out == "up\n") stop(*follower);
    };
    follower = attach(request, std::move(handlers));
    run_loop();
    return got.exits.empty() ? HostExit{} : got.exits[0];
  }
};

// Tools in sessions of their own, one deaf to SIGTERM and one that says that it was told.
constexpr const char* kTree =
    "setsid sh -c 'trap \"\" TERM; echo $$ > $1/deaf; while :; do sleep 0.05; done' sh $1 & "
    "setsid sh -c 'trap \"echo told > $1/told; exit\" TERM; echo $$ > $1/tool;"
    " while :; do sleep 0.05; done' sh $1 & "
    "while [ ! -s $1/deaf ] || [ ! -s $1/tool ]; do sleep 0.01; done; echo up; wait";

TEST_F(DeafHostTest, Q5_AStoppedHostIsWokenAndKeepsTheGracePeriod) {
  const HostRequest request = script(kTree);
  const HostMeta meta = launch(request);
  ASSERT_EQ(::kill(meta.host_pid, SIGSTOP), 0);
  const HostExit exit = end_of(request, [](Follower& follower) { (void)follower.stop(false); });
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_EQ(text(folder_ / "told"), "told\n");
  EXPECT_FALSE(is_alive(number_in("deaf")));
  EXPECT_TRUE(eventually([&] { return !is_alive(meta.host_pid); }));
}

TEST_F(DeafHostTest, AStoppedHostWhoseProgramEndedIsWoken) {
  const HostRequest request = script("echo up; while [ ! -e $1/go ]; do sleep 0.01; done; exit 7");
  const HostMeta meta = launch(request);
  Collected got;
  int told = 0;
  FollowHandlers handlers = got.handlers([&] { loop_->stop(); });
  handlers.on_host_stopped = [&] { ++told; };
  const auto record = handlers.on_bytes;
  handlers.on_bytes = [&, record](bool err, uint64_t offset, std::string_view bytes) {
    record(err, offset, bytes);
    if (got.out != "up\n") return;
    ::kill(meta.host_pid, SIGSTOP);
    EXPECT_TRUE(eventually([&] { return host_is_stopped(meta); }));
    EXPECT_TRUE(write_file(folder_ / "go", ""));
  };
  const auto follower = attach(request, std::move(handlers));
  run_loop();
  ASSERT_EQ(got.exits.size(), 1u);
  EXPECT_EQ(got.exits[0].reason, "exited");
  EXPECT_EQ(got.exits[0].exit_code, 7);
  EXPECT_EQ(told, 1);
}

TEST_F(DeafHostTest, AHostThatADebuggerHoldsBehindItsProgramIsEnded) {
  HostRequest request = script("while [ ! -e $1/go ]; do sleep 0.01; done");
  request.grace = Millis(10);
  const HostMeta meta = launch(request);
  const Traced debugger(meta.host_pid);
  ASSERT_TRUE(write_file(folder_ / "go", ""));
  const HostExit exit = end_of(request, [](Follower&) {});
  EXPECT_EQ(exit.reason, "host_lost");
  EXPECT_FALSE(is_alive(meta.host_pid));
}

TEST_F(DeafHostTest, Q5_AHostInADebuggerIsEndedWithItsTree) {
  const HostRequest request = script(kTree);
  const HostMeta meta = launch(request);
  const int tool = number_in("tool"), deaf = number_in("deaf");
  const Traced debugger(meta.host_pid);
  const HostExit exit = end_of(request, [](Follower& follower) { (void)follower.stop(false); });
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_TRUE(exit.leaked.empty());
  EXPECT_EQ(text(folder_ / "told"), "told\n") << "the grace period is kept without the host";
  EXPECT_FALSE(is_alive(tool));
  EXPECT_FALSE(is_alive(deaf));
  EXPECT_FALSE(is_alive(meta.pid));
  EXPECT_FALSE(is_alive(meta.host_pid));
  // The next owner finds the end as if the host had written it.
  EXPECT_EQ(read_exit(request.dir).value().value_or(HostExit{}).reason, "stopped");
}

TEST_F(DeafHostTest, Q5_ForceDoesNotWaitForTheGracePeriod) {
  HostRequest request = script(kTree);
  request.grace = Millis(600'000);
  const HostMeta meta = launch(request);
  const int deaf = number_in("deaf");
  const Traced debugger(meta.host_pid);
  const HostExit exit = end_of(request, [](Follower& follower) {
    (void)follower.stop(false);
    (void)follower.stop(true);
  });
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_FALSE(is_alive(deaf));
}

TEST_F(DeafHostTest, TheDeadlineIsKeptWithoutTheHost) {
  HostRequest request = script(kTree);
  request.timeout = Millis(300);
  const HostMeta meta = launch(request);
  number_in("deaf");
  const Traced debugger(meta.host_pid);
  const HostExit exit = end_of(request, [](Follower&) {});
  EXPECT_EQ(exit.reason, "timeout");
  EXPECT_GE(exit.duration, request.timeout);
}

/// A frozen cgroup of the freezer of v1, where not even SIGKILL ends a process before it is thawed.
class FrozenCgroup {
 public:
  FrozenCgroup() {
    if (::mkdir(folder_.c_str(), 0700) != 0) folder_.clear();
  }
  FrozenCgroup(const FrozenCgroup&) = delete;
  FrozenCgroup& operator=(const FrozenCgroup&) = delete;
  ~FrozenCgroup() {
    if (folder_.empty()) return;
    std::ofstream(folder_ / "freezer.state") << "THAWED";
    eventually([&] { return ::rmdir(folder_.c_str()) == 0; });
  }
  [[nodiscard]] bool valid() const { return !folder_.empty(); }
  void take(int pid) const { std::ofstream(folder_ / "tasks") << pid; }
  void freeze() const { std::ofstream(folder_ / "freezer.state") << "FROZEN"; }

 private:
  fs::path folder_ = fmt::format("/sys/fs/cgroup/freezer/wave-test-{}", ::getpid());
};

TEST_F(DeafHostTest, Q5_AFrozenTreeIsThawedAndEnded) {
  const FrozenCgroup frozen;
  if (!frozen.valid()) GTEST_SKIP() << "no freezer of cgroup v1 in which we may make groups";
  const HostRequest request = script(kTree);
  const HostMeta meta = launch(request);
  const int deaf = number_in("deaf");
  const int tool = number_in("tool");
  ASSERT_TRUE(eventually([&] { return text(request.dir / "out") == "up\n"; }));
  for (const int pid : {meta.host_pid, meta.pid, deaf, tool}) frozen.take(pid);
  frozen.freeze();
  const HostExit exit = end_of(request, [](Follower& follower) { (void)follower.stop(true); });
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_FALSE(is_alive(deaf));
  EXPECT_TRUE(eventually([&] { return !is_alive(meta.host_pid); }));
}

TEST_F(DeafHostTest, AForbiddenStartNeverHappens) {
  const HostRequest request = script("echo started");
  ASSERT_TRUE(forbid_start(request.dir, request.agent_id).has_value());
  const auto late = launcher().launch(request);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, Code::kConflict);
  EXPECT_EQ(text(request.dir / "out"), "");
  EXPECT_EQ(inspect(request.dir).value(), HostedState::kExited);
  EXPECT_EQ(forbid_start(request.dir, request.agent_id).error().code, Code::kConflict);
}

// ---- launchers

TEST_F(DeafHostTest, AStoppedLauncherIsWoken) {
  launch(script("true", "before"));
  ::kill(launcher().pid(), SIGSTOP);
  ASSERT_TRUE(eventually([&] { return is_stopped(launcher().pid()); }));
  EXPECT_EQ(run(script("exit 4", "after")).exit_code, 4);
}

TEST_F(DeafHostTest, ALauncherInADebuggerIsReplacedAndSoIsTheNext) {
  for (int round = 0; round < 3; ++round) {
    const int pid = launcher().pid();
    ASSERT_GT(pid, 0);
    const Traced debugger(pid);
    EXPECT_EQ(run(script("exit 4", fmt::format("a{}", round))).exit_code, 4);
    EXPECT_NE(launcher().pid(), pid);
  }
}

TEST_F(DeafHostTest, AKilledLauncherIsReplaced) {
  for (int round = 0; round < 3; ++round) {
    const int pid = launcher().pid();
    ASSERT_GT(pid, 0);
    ::kill(pid, SIGKILL);
    EXPECT_EQ(run(script("exit 4", fmt::format("a{}", round))).exit_code, 4);
  }
}

}  // namespace
}  // namespace wave::process
