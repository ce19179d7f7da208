#include "process/launcher.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "process/attempt_files.h"
#include "process/test_support.h"

namespace wave::process {
namespace {

class HostTest : public ProcessTest {};

TEST_F(HostTest, NormalExitIsRecorded) {
  const HostRequest request = script("echo words; echo trouble >&2");
  const HostMeta meta = launch(request);
  EXPECT_GT(meta.host_pid, 0);
  EXPECT_GT(meta.pid, 0);
  EXPECT_NE(meta.pid, meta.host_pid);
  EXPECT_EQ(meta.agent_id, request.agent_id);
  const HostExit exit = wait_for_exit(meta, request.dir);
  EXPECT_EQ(exit.exit_code, 0);
  EXPECT_EQ(exit.signal, 0);
  EXPECT_EQ(exit.reason, "exited");
  EXPECT_EQ(text(request.dir / "out"), "words\n");
  EXPECT_EQ(text(request.dir / "err"), "trouble\n");
  EXPECT_EQ(exit.out_bytes, 6U);
  EXPECT_EQ(exit.err_bytes, 8U);
  EXPECT_TRUE(exit.leaked.empty());
  EXPECT_EQ(inspect(request.dir).value(), HostedState::kExited);
}

TEST_F(HostTest, ExitCodesAndSignalsAreTold) {
  EXPECT_EQ(run(script("exit 7", "seven")).exit_code, 7);
  EXPECT_EQ(run(script("exit 255", "most")).exit_code, 255);
  const HostExit killed = run(script("kill -KILL $$", "killed"));
  EXPECT_EQ(killed.exit_code, -1);
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(killed.reason, "exited");
}

TEST_F(HostTest, FilesAreForTheOwnerOnly) {
  HostRequest request = script("cat");
  request.stdin_text = "secret";
  run(request);
  for (const char* name : {"in", "out", "err", "meta", "exit"}) {
    struct stat info{};
    ASSERT_EQ(::stat((request.dir / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << name;
  }
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(request.dir)) ++files;
  EXPECT_EQ(files, 5U) << "no temporary file is left";
}

TEST_F(HostTest, StdinIsGivenWholeAndIsEmptyWithoutText) {
  HostRequest large = script("cat", "large");
  large.stdin_text = std::string(5 << 20, 'x') + '\0' + "\xff end";
  run(large);
  EXPECT_EQ(text(large.dir / "out"), large.stdin_text);
  const HostRequest none = script("cat; echo done", "none");
  run(none);
  EXPECT_EQ(text(none.dir / "out"), "done\n");
}

TEST_F(HostTest, EnvironmentIsExactlyWhatWasAskedForPlusTheMarker) {
  ::setenv("WAVE_TEST_LEAK", "1", 1);
  HostRequest request = script("");
  request.argv = {"env", "-0"};
  request.env["ODD"] = "a\nb=c \xff";
  request.env["WAVE_AGENT"] = "a lie";
  run(request);
  ::unsetenv("WAVE_TEST_LEAK");
  std::string expected = "ODD=a\nb=c \xff";
  expected += '\0';
  expected += "PATH=/usr/local/bin:/usr/bin:/bin";
  expected += '\0';
  expected += "WAVE_AGENT=" + request.agent_id + '\0';
  EXPECT_EQ(text(request.dir / "out"), expected);
}

TEST_F(HostTest, LargeArgumentsAndEnvironmentsArrive) {
  HostRequest request = script("printf %s \"$2\" | wc -c; printf %s \"$BIG\" | wc -c");
  request.argv.emplace_back(100'000, 'a');
  for (int i = 0; i < 8; ++i) request.argv.emplace_back(100'000, 'b');
  request.env["BIG"] = std::string(120'000, 'c');
  run(request);
  EXPECT_EQ(text(request.dir / "out"), "100000\n120000\n");
}

TEST_F(HostTest, WorksInItsFolder) {
  HostRequest request = script("pwd -P");
  request.cwd = folder_ / "work";
  fs::create_directory(request.cwd);
  run(request);
  EXPECT_EQ(text(request.dir / "out"), fs::canonical(request.cwd).native() + "\n");
}

TEST_F(HostTest, MissingFolderIsSpawnFailed) {
  HostRequest request = script("true");
  request.cwd = folder_ / "nowhere";
  const HostExit exit = run(request);
  EXPECT_EQ(exit.reason, "spawn_failed");
  EXPECT_EQ(exit.exit_code, -1);
  EXPECT_NE(exit.message.find("nowhere: No such file or directory"), std::string::npos)
      << exit.message;
}

TEST_F(HostTest, MissingProgramIsSpawnFailed) {
  HostRequest missing = script("", "missing");
  missing.argv = {"wave-no-such-program"};
  HostExit exit = run(missing);
  EXPECT_EQ(exit.reason, "spawn_failed");
  EXPECT_EQ(exit.message, "wave-no-such-program is not in PATH");

  HostRequest denied = script("", "denied");
  denied.argv = {(folder_ / "plain").native()};
  std::ofstream(folder_ / "plain") << "text";
  exit = run(denied);
  EXPECT_EQ(exit.reason, "spawn_failed");
  EXPECT_NE(exit.message.find("Permission denied"), std::string::npos) << exit.message;

  HostRequest too_long = script("true", "long");
  too_long.argv.emplace_back(200'000, 'x');  // more than the kernel takes for one argument
  exit = run(too_long);
  EXPECT_EQ(exit.reason, "spawn_failed");
  EXPECT_NE(exit.message.find("Argument list too long"), std::string::npos) << exit.message;
}

TEST_F(HostTest, ImpossibleRequestsAreRefused) {
  HostRequest request = script("true");
  request.argv.clear();
  EXPECT_EQ(launcher().launch(request).error().code, Code::kUsage);
  request = script("true");
  request.argv.push_back(std::string("a\0b", 3));
  EXPECT_EQ(launcher().launch(request).error().code, Code::kUsage);
  request = script("true");
  request.env["A=B"] = "x";
  EXPECT_EQ(launcher().launch(request).error().code, Code::kUsage);
  request = script("true");
  request.dir = "/proc/nowhere/attempt";
  EXPECT_FALSE(launcher().launch(request).has_value());
  EXPECT_EQ(run(script("echo fine")).exit_code, 0) << "the launcher still works";
}

TEST_F(HostTest, ProgramInheritsNoDescriptorOfOurs) {
  const UniqueFd ours(::open("/dev/null", O_RDONLY));  // without O_CLOEXEC
  const UniqueFd high(::fcntl(ours.get(), F_DUPFD, 200));
  HostRequest request = script("ls /proc/self/fd");
  request.stdin_text = "x";
  run(request);
  EXPECT_EQ(text(request.dir / "out"), "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

TEST_F(HostTest, ProgramHasDefaultSignals) {
  sigset_t blocked, before;
  ::sigemptyset(&blocked);
  for (const int signal : {SIGUSR2, SIGTERM, SIGALRM}) ::sigaddset(&blocked, signal);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  ::signal(SIGQUIT, SIG_IGN);
  HostRequest request = script("");
  request.argv = {"cat", "/proc/self/status"};
  run(request);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGQUIT, SIG_DFL);
  const std::string status = text(request.dir / "out");
  for (const char* set : {"SigBlk", "SigIgn", "SigCgt"}) {
    EXPECT_NE(status.find(fmt::format("{}:\t0000000000000000\n", set)), std::string::npos)
        << status;
  }
}

TEST_F(HostTest, IsOutOfReachOfTheTerminal) {
  const HostRequest request = script("echo $$ > $1/pid; sleep 60");
  const HostMeta meta = launch(request);
  const int program = number_in("pid");
  EXPECT_EQ(program, meta.pid);
  EXPECT_EQ(::getsid(meta.host_pid), meta.host_pid);
  const int launcher_pid = process_info(meta.host_pid)->parent;
  EXPECT_EQ(::getsid(launcher_pid), launcher_pid);
  EXPECT_EQ(::getpgid(program), program);
  EXPECT_NE(::getsid(program), ::getsid(0));
}

TEST_F(HostTest, DeadlineEndsIt) {
  HostRequest request = script("trap 'exit 3' TERM; while :; do sleep 0.05; done");
  request.timeout = Millis(100);
  const HostExit exit = run(request);
  EXPECT_EQ(exit.reason, "timeout");
  EXPECT_EQ(exit.exit_code, 3) << "it was asked before it was killed";
}

TEST_F(HostTest, DeadlineKillsWhatIgnoresSigterm) {
  HostRequest request = script("trap '' TERM; while :; do sleep 0.05; done");
  request.timeout = Millis(100);
  request.grace = Millis(200);
  const HostExit exit = run(request);
  EXPECT_EQ(exit.reason, "timeout");
  EXPECT_EQ(exit.signal, SIGKILL);
}

TEST_F(HostTest, StopIsGracefulAndForceIsNot) {
  const std::string trapping = "trap 'exit 5' TERM; echo $$ > $1/pid; while :; do sleep 0.05; done";
  const HostRequest polite = script(trapping, "polite");
  HostMeta meta = launch(polite);
  number_in("pid");
  ASSERT_TRUE(request_stop(meta, false).has_value());
  HostExit exit = wait_for_exit(meta, polite.dir);
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_EQ(exit.exit_code, 5);
  EXPECT_EQ(request_stop(meta, false).error().code, Code::kNotFound);

  fs::remove(folder_ / "pid");
  const HostRequest forced = script(trapping, "forced");
  meta = launch(forced);
  number_in("pid");
  ASSERT_TRUE(request_stop(meta, true).has_value());
  exit = wait_for_exit(meta, forced.dir);
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_EQ(exit.signal, SIGKILL);
}

TEST_F(HostTest, SecondStopIsForced) {
  HostRequest request = script(
      "trap 'echo asked >> $1/asked' TERM; echo 1 > $1/up;"
      "while :; do sleep 0.02; done");
  request.grace = Millis(60'000);  // would outlast the test
  const HostMeta meta = launch(request);
  number_in("up");
  ASSERT_TRUE(request_stop(meta, false).has_value());
  ASSERT_TRUE(eventually([&] { return fs::exists(folder_ / "asked"); }));
  ASSERT_TRUE(request_stop(meta, false).has_value());
  const HostExit exit = wait_for_exit(meta, request.dir);
  EXPECT_EQ(exit.reason, "stopped");
  EXPECT_EQ(exit.signal, SIGKILL);
}

TEST_F(HostTest, S1_LaunchIsIdempotent) {
  const HostRequest request = script("echo once >> $1/starts; sleep 0.1");
  launch(request);
  EXPECT_EQ(launcher().launch(request).error().code, Code::kConflict);
  wait_for_exit(started_[0], request.dir);
  EXPECT_EQ(launcher().launch(request).error().code, Code::kConflict);
  EXPECT_EQ(text(folder_ / "starts"), "once\n");
}

TEST_F(HostTest, S1_RacingLaunchesStartOneProgram) {
  for (int round = 0; round < 20; ++round) {
    HostRequest request = script("echo once >> starts; cat", fmt::format("a{}", round));
    request.cwd = folder_ / fmt::format("work{}", round);
    request.stdin_text = "text";
    fs::create_directory(request.cwd);
    // Two owners with a launcher each, at the same time.
    std::vector<Launcher> owners;
    for (int i = 0; i < 2; ++i) owners.push_back(Launcher::start().value());
    std::vector<std::optional<Result<HostMeta>>> answers(2);
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < 2; ++i) {
        threads.emplace_back([&, i] { answers[i] = owners[i].launch(request); });
      }
    }
    const bool first = answers[0]->has_value();
    ASSERT_NE(first, answers[1]->has_value());
    const HostMeta meta = **answers[first ? 0 : 1];
    started_.push_back(meta);
    EXPECT_EQ(answers[first ? 1 : 0]->error().code, Code::kConflict);
    wait_for_exit(meta, request.dir);
    EXPECT_EQ(text(request.cwd / "starts"), "once\n");
    EXPECT_EQ(text(request.dir / "out"), "text");
    EXPECT_EQ(text(request.dir / "in"), "text");
  }
}

TEST_F(HostTest, S4_FloodIsCutAtTheCap) {
  for (const char* stream : {"1", "2"}) {
    HostRequest request =
        script(fmt::format("trap '' TERM; yes flood >&{}", stream), std::string("to") + stream);
    request.max_output = 4 << 20;
    const HostExit exit = run(request);
    EXPECT_EQ(exit.reason, "output_limit");
    EXPECT_EQ(std::max(exit.out_bytes, exit.err_bytes), request.max_output);
  }
}

TEST_F(HostTest, UnattendedProgramIsEndedOnceNobodyHoldsTheLock) {
  const UniqueFd lock(::open((folder_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  ASSERT_EQ(::fcntl(lock.get(), F_OFD_SETLK, &whole), 0);
  HostRequest request = script("echo 1 > $1/up; sleep 60");
  request.owner_lock = folder_ / "lock";
  request.unattended_limit = Millis(300);
  const HostMeta meta = launch(request);
  number_in("up");
  // Another with the same limit, whose lock nobody holds, begins later and is ended: so the limit
  // has passed for the first as well, and nothing happened to it.
  HostRequest unowned = script("sleep 60", "unowned");
  unowned.owner_lock = folder_ / "no-lock";
  unowned.unattended_limit = request.unattended_limit;
  ASSERT_EQ(run(unowned).reason, "unattended");
  EXPECT_EQ(inspect(request.dir).value(), HostedState::kRunning);
  whole.l_type = F_UNLCK;
  ASSERT_EQ(::fcntl(lock.get(), F_OFD_SETLK, &whole), 0);
  const HostExit exit = wait_for_exit(meta, request.dir);
  EXPECT_EQ(exit.reason, "unattended");
  EXPECT_EQ(exit.signal, SIGTERM);
}

TEST_F(HostTest, MissingLockCountsAsUnattended) {
  HostRequest request = script("sleep 60");
  request.owner_lock = folder_ / "no-lock";
  request.unattended_limit = Millis(100);
  EXPECT_EQ(run(request).reason, "unattended");
}

TEST_F(HostTest, ManyAtOnce) {
  std::vector<HostRequest> requests;
  std::vector<HostMeta> metas;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(
        script(fmt::format("echo {}; sleep 0.1; exit {}", i, i), fmt::format("a{}", i)));
    metas.push_back(launch(requests.back()));
  }
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(wait_for_exit(metas[i], requests[i].dir).exit_code, static_cast<int>(i));
    EXPECT_EQ(text(requests[i].dir / "out"), fmt::format("{}\n", i));
  }
}

TEST_F(HostTest, HostsLeaveNoZombies) {
  const HostRequest request = script("true");
  const HostMeta meta = launch(request);
  wait_for_exit(meta, request.dir);
  EXPECT_TRUE(eventually([&] { return !process_info(meta.host_pid); }));
}

TEST_F(HostTest, S1_LauncherDeathDoesNotMatterToHosts) {
  const HostRequest request = script(
      "echo $PPID > $1/host; while [ ! -e $1/go ]; do sleep 0.02; done;"
      "echo end; exit 4");
  const HostMeta meta = launch(request);
  const int host = number_in("host");
  const int launcher_pid = process_info(host)->parent;
  ASSERT_EQ(::kill(launcher_pid, SIGKILL), 0);
  EXPECT_EQ(run(script("exit 3", "later")).exit_code, 3) << "another one takes its place";
  std::ofstream(folder_ / "go") << "1";
  const HostExit exit = wait_for_exit(meta, request.dir);
  EXPECT_EQ(exit.exit_code, 4);
  EXPECT_EQ(text(request.dir / "out"), "end\n");
}

TEST_F(HostTest, LauncherEndsWithItsOwner) {
  const HostRequest request = script("echo $PPID > $1/host; sleep 60");
  launch(request);
  const int launcher_pid = process_info(number_in("host"))->parent;
  launcher_.reset();
  EXPECT_FALSE(is_alive(launcher_pid));
  EXPECT_EQ(inspect(request.dir).value(), HostedState::kRunning);
}

TEST(AttemptFiles, RecordsSurviveTheTrip) {
  HostMeta meta;
  meta.host_pid = 12;
  meta.pid = 34;
  meta.host_start_time = 1ULL << 60;
  meta.start_time = 77;
  meta.boot_id = "boot";
  meta.agent_id = "run/step é";
  meta.cgroup = "/sys/x";
  const HostMeta back = decode_meta(encode_meta(meta)).value();
  EXPECT_EQ(encode_meta(back), encode_meta(meta));
  EXPECT_EQ(back.host_start_time, meta.host_start_time);

  HostExit exit;
  exit.exit_code = 3;
  exit.signal = 9;
  exit.reason = "timeout";
  exit.message = "words";
  exit.leaked = {1, 2};
  exit.duration = Millis(55);
  exit.out_bytes = 1ULL << 40;
  const HostExit same = decode_exit(encode_exit(exit)).value();
  EXPECT_EQ(encode_exit(same), encode_exit(exit));
  EXPECT_EQ(same.leaked, exit.leaked);

  EXPECT_FALSE(decode_exit("").has_value());
  EXPECT_FALSE(decode_exit("[]").has_value());
  EXPECT_EQ(decode_exit(R"({"v":99})").error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace wave::process
