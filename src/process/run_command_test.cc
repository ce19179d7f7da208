#include "process/run_command.h"

#include <thread>

#include "process/test_support.h"

namespace wave::process {
namespace {

CommandRequest shell(const std::string& text) {
  CommandRequest request;
  request.argv = {"sh", "-c", text};
  return request;
}

TEST(RunCommand, GivesOutputAndExitCode) {
  const CommandResult result = run_command(shell("echo out; echo err >&2; exit 3")).value();
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_FALSE(result.out_truncated);
  EXPECT_EQ(run_command(shell("kill -9 $$")).value().exit_code, 137);
}

TEST(RunCommand, StdinFolderAndEnvironment) {
  CommandRequest request = shell("wc -c; pwd; echo $A ${HOME-none}");
  request.stdin_text = std::string(1 << 19, 'x') + "\n";
  request.cwd = "/";
  request.env = {{"PATH", "/usr/bin:/bin"}, {"A", "b"}};
  const CommandResult result = run_command(request).value();
  EXPECT_EQ(result.out, "524289\n/\nb none\n");
}

TEST(RunCommand, UnreadStdinIsNoProblem) {
  CommandRequest request = shell("exit 0");
  request.stdin_text = std::string(4 << 20, 'x');
  EXPECT_EQ(run_command(request).value().exit_code, 0);
}

TEST(RunCommand, OutputIsBounded) {
  CommandRequest request =
      shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo end");
  request.max_output = 100'000;
  const CommandResult result = run_command(request).value();
  EXPECT_EQ(result.out.size(), 100'000U);
  EXPECT_EQ(result.err.size(), 100'000U);
  EXPECT_TRUE(result.out_truncated);
  EXPECT_EQ(result.exit_code, 0);
}

TEST(RunCommand, DeadlineKillsTheGroup) {
  std::string folder = (fs::temp_directory_path() / "wave-command.XXXXXX").native();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  CommandRequest request = shell("trap '' TERM; (trap '' TERM; sleep 60) & echo $! > child; wait");
  request.cwd = folder;
  request.timeout = Millis(200);
  const auto result = run_command(request);
  EXPECT_EQ(result.error().code, Code::kTimeout);
  const int child = std::atoi(read_file(fs::path(folder) / "child", 100).value().c_str());
  EXPECT_TRUE(eventually([&] { return !is_alive(child); }));
  fs::remove_all(folder);
}

TEST(RunCommand, WhatIsLeftBehindDoesNotHoldItUp) {
  // The pipes stay open in the background; the program itself has ended.
  const auto before = std::chrono::steady_clock::now();
  const CommandResult result = run_command(shell("sleep 60 & echo $!")).value();
  EXPECT_LT(std::chrono::steady_clock::now() - before, kTestPatience);
  ::kill(std::atoi(result.out.c_str()), SIGKILL);
}

TEST(RunCommand, IsInterruptedAndGetsTheChanceToTidyUp) {
  std::string name = (fs::temp_directory_path() / "wave-command-XXXXXX").native();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const fs::path lock = fs::path(name) / "lock";
  std::stop_source stop;
  CommandRequest request = shell("trap 'rm -f " + lock.native() + "; exit' TERM; touch " +
                                 lock.native() + "; while :; do sleep 0.01; done");
  request.timeout = std::chrono::hours(1);
  request.stop = stop.get_token();
  std::thread asker([&] {
    while (!fs::exists(lock)) std::this_thread::sleep_for(Millis(1));
    stop.request_stop();
  });
  const auto result = run_command(request);
  asker.join();
  EXPECT_EQ(result.error().code, Code::kInterrupted);
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_EQ(run_command(request).error().code, Code::kInterrupted) << "not even begun";
  fs::remove_all(name);
}

TEST(RunCommand, AnInterruptedProgramThatDoesNotEndIsKilled) {
  std::stop_source stop;
  CommandRequest request = shell("trap '' TERM; echo up; while :; do sleep 60 & wait; done");
  request.timeout = std::chrono::hours(1);
  request.stop = stop.get_token();
  std::thread asker([&] { stop.request_stop(); });
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(run_command(request).error().code, Code::kInterrupted);
  asker.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, kTestPatience);
}

TEST(RunCommand, MissingThingsAreNamed) {
  CommandRequest request;
  request.argv = {"wave-no-such-program"};
  EXPECT_EQ(run_command(request).error().code, Code::kNotFound);
  request = shell("true");
  request.cwd = "/wave/no/such/folder";
  const auto result = run_command(request);
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("/wave/no/such/folder"), std::string::npos);
  request.argv.clear();
  EXPECT_EQ(run_command(request).error().code, Code::kUsage);
}

TEST(RunCommand, InheritsNoDescriptor) {
  const UniqueFd open(::dup(0));
  EXPECT_EQ(run_command(shell("ls /proc/self/fd | wc -l")).value().out, "4\n");
}

TEST(FindProgram, LooksInAbsoluteFoldersOnly) {
  EXPECT_TRUE(find_program("sh", "/nowhere:/bin").has_value());
  EXPECT_FALSE(find_program("sh", "").has_value());
  EXPECT_FALSE(find_program("sh", "bin:.:").has_value());
  EXPECT_FALSE(find_program("", "/bin").has_value());
  EXPECT_EQ(find_program("/bin/sh", "")->native(), "/bin/sh");
  EXPECT_FALSE(find_program("/bin", "").has_value());
}

}  // namespace
}  // namespace wave::process
