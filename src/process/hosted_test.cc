#include "process/hosted.h"

#include "base/id.h"
#include "process/attempt_files.h"
#include "process/cgroup.h"
#include "process/test_support.h"

namespace wave::process {
namespace {

/// Each behaviour holds with a cgroup and without: with `true` these tests need a writable cgroup
/// v2.
class TreeTest : public ProcessTest, public testing::WithParamInterface<bool> {
 protected:
  HostRequest tree(const std::string& text, const std::string& name = "attempt") {
    HostRequest request = script(text, name);
    request.use_cgroup = GetParam();
    return request;
  }

  void SetUp() override {
    ProcessTest::SetUp();
    if (!GetParam()) return;
    const std::string cgroup = make_agent_cgroup(own_cgroup(), "probe");
    if (cgroup.empty()) GTEST_SKIP() << "no cgroup v2 in which we may make children";
    remove_cgroup(cgroup);
  }
};

INSTANTIATE_TEST_SUITE_P(Cgroup, TreeTest, testing::Values(false, true), [](const auto& info) {
  return info.param ? "WithCgroup" : "WithoutCgroup";
});

// A daemon as agents' tools make them: a session of its own, forked twice, deaf to SIGTERM.
constexpr const char* kDaemon =
    "setsid sh -c '(trap \"\" TERM HUP; echo $$ > $1/session;"
    " sh -c \"trap \\\"\\\" TERM; echo \\$\\$ > $1/daemon; while :; do sleep 1; done\" &)'"
    " sh $1 > /dev/null 2>&1 < /dev/null &";

TEST_P(TreeTest, S3_DaemonsAreGoneAtTheEnd) {
  HostRequest request =
      tree(std::string(kDaemon) + " while [ ! -s $1/daemon ]; do sleep 0.01; done; exit 6");
  request.grace = Millis(100);
  const HostMeta meta = launch(request);
  EXPECT_EQ(!meta.cgroup.empty(), GetParam());
  const int daemon = number_in("daemon");
  const HostExit exit = wait_for_exit(meta, request.dir);
  EXPECT_EQ(exit.reason, "exited");
  EXPECT_EQ(exit.exit_code, 6);
  EXPECT_TRUE(exit.leaked.empty());
  EXPECT_FALSE(is_alive(daemon));
  EXPECT_TRUE(find_strays(request.agent_id).empty());
  EXPECT_FALSE(!meta.cgroup.empty() && fs::exists(meta.cgroup));
}

TEST_P(TreeTest, S3_StopReachesToolsInTheirOwnSession) {
  const HostRequest request = tree(
      "setsid sh -c 'trap \"echo told > $1/told; exit\" TERM; echo $$ > $1/tool;"
      " while :; do sleep 0.02; done' sh $1 & wait");
  const HostMeta meta = launch(request);
  const int tool = number_in("tool");
  ASSERT_TRUE(request_stop(meta, false).has_value());
  EXPECT_EQ(wait_for_exit(meta, request.dir).reason, "stopped");
  EXPECT_FALSE(is_alive(tool));
  EXPECT_EQ(text(folder_ / "told"), "told\n");
}

TEST_P(TreeTest, S3_ClearedEnvironmentDoesNotHide) {
  HostRequest request = tree(
      "env -i setsid /bin/sh -c 'trap \"\" TERM; echo $$ > '$1'/hidden; while :; do /bin/sleep 1; "
      "done' "
      "& while [ ! -s $1/hidden ]; do sleep 0.01; done");
  request.grace = Millis(100);
  const HostMeta meta = launch(request);
  const int hidden = number_in("hidden");
  const HostExit exit = wait_for_exit(meta, request.dir);
  EXPECT_TRUE(exit.leaked.empty());
  EXPECT_FALSE(is_alive(hidden));
}

TEST_P(TreeTest, S3_ForkingQuicklyDoesNotHelp) {
  // Each generation forks the next one and dies: whoever kills a list of pids comes too late.
  HostRequest request = tree(
      "hop() { trap '' TERM; echo $$ > $1/up; i=0; while [ $i -lt 4000 ]; do i=$((i+1)); "
      "(: & ) ; done; sleep 60; }; for n in 1 2 3; do hop $1 & done;"
      "while [ ! -s $1/up ]; do sleep 0.01; done");
  request.grace = Millis(50);
  const HostExit exit = run(request);
  EXPECT_TRUE(exit.leaked.empty());
  EXPECT_TRUE(find_strays(request.agent_id).empty());
}

TEST_P(TreeTest, S2_LostHostIsSeenAndItsProgramEnded) {
  const HostRequest request = tree(
      "setsid sh -c 'trap \"\" TERM; echo $$ > $1/tool; while :; do sleep 1; done' sh $1 & "
      "while [ ! -s $1/tool ]; do sleep 0.01; done; echo $$ > $1/up; sleep 60");
  const HostMeta meta = launch(request);
  const int program = number_in("up");
  const int tool = number_in("tool");
  EXPECT_EQ(inspect(request.dir).value(), HostedState::kRunning);
  ASSERT_EQ(::kill(meta.host_pid, SIGKILL), 0);
  ASSERT_TRUE(eventually([&] { return inspect(request.dir).value() == HostedState::kLost; }));
  EXPECT_TRUE(is_alive(program)) << "an agent is not lost with its host";
  EXPECT_GE(find_strays(request.agent_id).size(), 2U);
  EXPECT_EQ(watch_host(meta).error().code, Code::kNotFound);
  EXPECT_EQ(request_stop(meta, true).error().code, Code::kNotFound);

  EXPECT_TRUE(kill_strays(meta, Millis(5'000)).empty());
  EXPECT_FALSE(is_alive(program));
  EXPECT_FALSE(is_alive(tool));
  EXPECT_TRUE(find_strays(request.agent_id).empty());
  EXPECT_FALSE(!meta.cgroup.empty() && fs::exists(meta.cgroup));
}

class HostedTest : public ProcessTest {};

TEST_F(HostedTest, UntouchedFolderNeverStarted) {
  EXPECT_EQ(inspect(folder_ / "nowhere").value(), HostedState::kNeverStarted);
  EXPECT_EQ(inspect(folder_).value(), HostedState::kNeverStarted);
  EXPECT_EQ(read_meta(folder_).error().code, Code::kNotFound);
  EXPECT_FALSE(read_exit(folder_).value().has_value());
}

TEST_F(HostedTest, MetaOfAnotherBootOrAReusedPidIsLost) {
  HostMeta meta;
  meta.host_pid = ::getpid();
  meta.host_start_time = process_info(::getpid())->start_time;
  meta.boot_id = "another boot";
  meta.agent_id = "nobody";
  fs::create_directory(folder_ / "boot");
  ASSERT_TRUE(create_meta(folder_ / "boot", meta).has_value());
  EXPECT_EQ(inspect(folder_ / "boot").value(), HostedState::kLost);
  EXPECT_TRUE(kill_strays(meta, Millis(0)).empty());

  meta.boot_id = boot_id();
  meta.host_start_time -= 1;
  fs::create_directory(folder_ / "pid");
  ASSERT_TRUE(create_meta(folder_ / "pid", meta).has_value());
  EXPECT_EQ(inspect(folder_ / "pid").value(), HostedState::kLost);
  EXPECT_FALSE(request_stop(meta, true).has_value());  // or this test would be over
  EXPECT_EQ(create_meta(folder_ / "pid", meta).error().code, Code::kConflict);
}

TEST_F(HostedTest, HostOfARemovedFolderEnds) {
  const HostRequest request = script("echo 1 > $1/up; sleep 60");
  const HostMeta meta = launch(request);
  number_in("up");
  fs::remove_all(request.dir);
  ASSERT_TRUE(request_stop(meta, true).has_value());
  EXPECT_TRUE(eventually([&] { return !is_alive(meta.host_pid); }));
}

TEST_F(HostedTest, DamagedFilesAreErrors) {
  std::ofstream(folder_ / "meta") << "{\"v\":1,";
  EXPECT_FALSE(inspect(folder_).has_value());
  std::ofstream(folder_ / "exit") << "?";
  EXPECT_FALSE(read_exit(folder_).has_value());
}

TEST_F(HostedTest, S2_LostHostBeforeExecLeavesNothing) {
  // The host dies at any moment of a program's start; whatever had begun is found and ended.
  for (int round = 0; round < 30; ++round) {
    const HostRequest request =
        script("trap '' TERM; while :; do sleep 1; done", fmt::format("a{}", round));
    const HostMeta meta = launch(request);
    ::kill(meta.host_pid, SIGKILL);
    ASSERT_TRUE(eventually([&] { return inspect(request.dir).value() == HostedState::kLost; }));
    EXPECT_TRUE(kill_strays(meta, Millis(5'000)).empty());
    EXPECT_FALSE(is_alive(meta.pid));
  }
}

TEST(Proc, MarkersAreComparedWhole) {
  const int child = ::fork();
  if (child == 0) {
    const std::string filler =
        "FILL=" + std::string(65'520, 'x');  // the marker lies across two reads
    const char* arguments[] = {"sleep", "60", nullptr};
    const char* variables[] = {filler.c_str(), "WAVE_AGENT=run.step", "XWAVE_AGENT=other", nullptr};
    ::execve("/bin/sleep", const_cast<char**>(arguments), const_cast<char**>(variables));
    ::_exit(1);
  }
  EXPECT_TRUE(eventually([&] { return has_marker(child, "run.step"); }));
  EXPECT_FALSE(has_marker(child, "run.ste"));
  EXPECT_FALSE(has_marker(child, "run.step2"));
  EXPECT_FALSE(has_marker(child, "other"));
  EXPECT_EQ(find_strays("run.step"), std::vector<int>{child});
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(process_info(child).has_value());
}

TEST(Proc, DescendantsAreFoundWhateverTheirPids) {
  const auto process = [](int pid, int parent) {
    ProcessInfo info;
    info.pid = pid;
    info.parent = parent;
    return info;
  };
  const std::vector<ProcessInfo> all = {process(3, 7), process(5, 9), process(7, 5), process(8, 1),
                                        process(9, 1)};
  std::vector<int> pids;
  for (const ProcessInfo& info :
       with_descendants(all, [](const ProcessInfo& p) { return p.pid == 9; })) {
    pids.push_back(info.pid);
  }
  std::ranges::sort(pids);
  EXPECT_EQ(pids, (std::vector<int>{3, 5, 7, 9}));
}

}  // namespace
}  // namespace wave::process
