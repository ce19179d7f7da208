#include <fcntl.h>

#include <random>

#include "process/follower_fixture.h"

namespace wave::process {
namespace {

TEST_F(FollowerTest, DeliversAllBytesThenTheEnd) {
  const HostRequest request = script(
      "i=0; while [ $i -lt 200 ]; do echo line $i; echo err $i >&2; i=$((i+1)); done; exit 9");
  launch(request);
  Collected got;
  const auto follower = attach(request, got.handlers([&] { loop_->stop(); }));
  EXPECT_TRUE(got.out.empty()) << "no handler is called within attach";
  run_loop();
  ASSERT_EQ(got.exits.size(), 1U);
  EXPECT_EQ(got.exits[0].exit_code, 9);
  EXPECT_EQ(got.out, text(request.dir / "out"));
  EXPECT_EQ(got.err, text(request.dir / "err"));
  EXPECT_EQ(got.out.size(), got.exits[0].out_bytes);
}

TEST_F(FollowerTest, BytesArriveWhileItRuns) {
  const HostRequest request =
      script("echo first; while [ ! -e $1/go ]; do sleep 0.01; done; echo second");
  launch(request);
  Collected got;
  FollowHandlers handlers = got.handlers([&] { loop_->stop(); });
  auto record = handlers.on_bytes;
  handlers.on_bytes = [&](bool err, uint64_t offset, std::string_view bytes) {
    record(err, offset, bytes);
    if (got.out == "first\n") std::ofstream(folder_ / "go") << "1";  // nothing else lets it go on
  };
  const auto follower = attach(request, std::move(handlers));
  run_loop();
  EXPECT_EQ(got.out, "first\nsecond\n");
}

TEST_F(FollowerTest, ReadsOnFromTheGivenOffsets) {
  const HostRequest request = script("printf 0123456789; printf abcdef >&2");
  const HostMeta meta = launch(request);
  wait_for_exit(meta, request.dir);  // over long ago
  Collected got;
  got.out_start = 4;
  got.err_start = 6;
  const auto follower = attach(request, got.handlers([&] { loop_->stop(); }), 4, 6);
  run_loop();
  EXPECT_EQ(got.out, "456789");
  EXPECT_EQ(got.err, "");
  EXPECT_EQ(got.exits.size(), 1U);
}

TEST_F(FollowerTest, RefusesWhatCannotBeFollowed) {
  EXPECT_EQ(Follower::attach(*hub_, folder_ / "nowhere", 0, 0, {}).error().code, Code::kNotFound);
  const HostRequest request = script("echo x");
  wait_for_exit(launch(request), request.dir);
  EXPECT_EQ(Follower::attach(*hub_, request.dir, 3, 0, {}).error().code, Code::kConflict);
}

TEST_F(FollowerTest, SpawnFailureIsAnEnd) {
  HostRequest request = script("");
  request.argv = {"wave-no-such-program"};
  launch(request);
  Collected got;
  const auto follower = attach(request, got.handlers([&] { loop_->stop(); }));
  run_loop();
  EXPECT_EQ(got.exits.at(0).reason, "spawn_failed");
}

TEST_F(FollowerTest, S4_LargeOutputComesInBoundedSlices) {
  const HostRequest request = script("head -c 20000000 /dev/zero; head -c 300000 /dev/zero >&2");
  wait_for_exit(launch(request), request.dir);
  Collected got;
  size_t turns = 0, before = 0, most = 0;
  const auto follower = attach(request, got.handlers([&] { loop_->stop(); }));
  // Runs once between two turns of the follower: what came in between is one turn's work.
  std::function<void()> count = [&] {
    ++turns;
    most = std::max(most, got.out.size() + got.err.size() - before);
    before = got.out.size() + got.err.size();
    if (got.exits.empty()) loop_->post(count);
  };
  loop_->post(count);
  run_loop();
  EXPECT_EQ(got.out.size(), 20'000'000U);
  EXPECT_EQ(got.err.size(), 300'000U);
  EXPECT_LE(got.largest, 65'536U);
  EXPECT_LE(most, 5U * 65'536U) << "others get their turn in between";
  EXPECT_GT(turns, 50U);
}

TEST_F(FollowerTest, S4_PauseStopsTheReading) {
  const HostRequest request = script("head -c 2000000 /dev/zero");
  wait_for_exit(launch(request), request.dir);
  Collected got;
  std::unique_ptr<Follower> follower;
  FollowHandlers handlers = got.handlers([&] { loop_->stop(); });
  auto record = handlers.on_bytes;
  size_t pauses = 0;
  bool paused = false;
  handlers.on_bytes = [&](bool err, uint64_t offset, std::string_view bytes) {
    EXPECT_FALSE(paused);
    record(err, offset, bytes);
    follower->pause();
    paused = true;
    ++pauses;
    loop_->call_at(loop_->clock().mono() + Millis(1), [&] {
      paused = false;
      follower->resume();
    });
  };
  follower = attach(request, std::move(handlers));
  run_loop();
  EXPECT_EQ(got.out.size(), 2'000'000U);
  EXPECT_EQ(pauses, got.deliveries);
  EXPECT_EQ(got.exits.size(), 1U);
}

TEST_F(FollowerTest, PausedFollowerHoldsTheEndBack) {
  const HostRequest request = script("exit 2");
  wait_for_exit(launch(request), request.dir);
  Collected got;
  const auto follower = attach(request, got.handlers([&] { loop_->stop(); }));
  follower->pause();
  loop_->call_at(loop_->clock().mono() + Millis(30), [&] {
    EXPECT_TRUE(got.exits.empty());
    follower->resume();
  });
  run_loop();
  EXPECT_EQ(got.exits.size(), 1U);
}

TEST_F(FollowerTest, HandlersMayDestroyTheFollower) {
  const HostRequest request = script("head -c 300000 /dev/zero");
  wait_for_exit(launch(request), request.dir);
  std::unique_ptr<Follower> follower;
  int calls = 0;
  follower = attach(request, {.on_bytes =
                                  [&](bool, uint64_t, std::string_view) {
                                    ++calls;
                                    follower.reset();
                                    loop_->call_at(loop_->clock().mono() + Millis(30),
                                                   [&] { loop_->stop(); });
                                  },
                              .on_exit = [&](const HostExit&) { ADD_FAILURE() << "detached"; }});
  run_loop();
  EXPECT_EQ(calls, 1);

  loop_.emplace();
  hub_.emplace(*loop_);
  follower = attach(request, {.on_bytes = {}, .on_exit = [&](const HostExit&) {
                                follower.reset();
                                loop_->stop();
                              }});
  run_loop();
  EXPECT_EQ(follower, nullptr);
}

TEST_F(FollowerTest, StopEndsItAndIsHarmlessLater) {
  const HostRequest request = script("echo up; sleep 60");
  launch(request);
  Collected got;
  std::unique_ptr<Follower> follower;
  FollowHandlers handlers = got.handlers([&] { loop_->stop(); });
  handlers.on_bytes = [&](bool, uint64_t, std::string_view) {
    EXPECT_TRUE(follower->stop(false).has_value());
  };
  follower = attach(request, std::move(handlers));
  run_loop();
  EXPECT_EQ(got.exits.at(0).reason, "stopped");
  EXPECT_EQ(got.exits.at(0).signal, SIGTERM);
  EXPECT_TRUE(follower->stop(true).has_value());
}

TEST_F(FollowerTest, S2_LostHostIsReportedOnceNothingOfItIsLeft) {
  const HostRequest request = script("echo before; echo $$ > $1/up; sleep 60");
  const HostMeta meta = launch(request);
  const int program = number_in("up");
  Collected got;
  const auto follower = attach(request, got.handlers([&] { loop_->stop(); }));
  loop_->call_at(loop_->clock().mono() + Millis(20), [&] { ::kill(meta.host_pid, SIGKILL); });
  run_loop();
  ASSERT_EQ(got.exits.size(), 1U);
  EXPECT_EQ(got.exits[0].reason, "host_lost");
  EXPECT_EQ(got.out, "before\n");
  EXPECT_FALSE(is_alive(program));

  // The same when it was lost before anybody followed.
  loop_.emplace();
  hub_.emplace(*loop_);
  Collected later;
  const auto again = attach(request, later.handlers([&] { loop_->stop(); }));
  run_loop();
  EXPECT_EQ(later.exits.at(0).reason, "host_lost");
  EXPECT_EQ(later.out, "before\n");
}

TEST_F(FollowerTest, ManyFollowersShareOneHub) {
  constexpr size_t kCount = 40;
  std::vector<Collected> got(kCount);
  std::vector<std::unique_ptr<Follower>> followers;
  size_t ended = 0;
  for (size_t i = 0; i < kCount; ++i) {
    const HostRequest request =
        script(fmt::format("echo {0}; sleep 0.05; echo {0}", i), fmt::format("a{}", i));
    launch(request);
    followers.push_back(attach(request, got[i].handlers([&, i] {
      followers[i].reset();
      if (++ended == kCount) loop_->stop();
    })));
  }
  run_loop();
  for (size_t i = 0; i < kCount; ++i) EXPECT_EQ(got[i].out, fmt::format("{0}\n{0}\n", i));
}

/// An owner's life: takes the process over where the last one was killed, appends what it reads to
/// a file, and reports with its exit code that the end has come.
[[noreturn]] void live_as_owner(const HostRequest& request, const fs::path& taken) {
  AsioLoop loop;
  FollowerHub hub(loop);
  const UniqueFd sink(::open(taken.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  // The size of what is taken is the committed offset, since each write is one commit.
  const auto offset = static_cast<uint64_t>(::lseek(sink.get(), 0, SEEK_END));
  auto follower = Follower::attach(
      hub, request.dir, offset, 0,
      {.on_bytes = [&](bool, uint64_t,
                       std::string_view bytes) { (void)write_all(sink.get(), bytes); },
       .on_exit = [&](const HostExit& exit) { ::_exit(exit.exit_code == 3 ? 33 : 34); }});
  if (!follower) ::_exit(35);
  loop.run();
  ::_exit(36);
}

TEST_F(ProcessTest, S1_OwnersAreKilledAndNoByteIsLostOrDoubled) {
  // Seeded, so that a failure can be had again.
  std::mt19937 random(20'261'123);
  for (int round = 0; round < 4; ++round) {
    HostRequest request = script(
        "i=0; while [ $i -lt 3000 ]; do echo \"line $i of what the agent says\"; i=$((i+1));"
        " [ $((i % 100)) -eq 0 ] && sleep 0.02; done; exit 3",
        fmt::format("a{}", round));
    const fs::path taken = folder_ / fmt::format("taken{}", round);
    int status = 0, kills = 0;
    for (bool first = true;; first = false) {
      const int owner = ::fork();
      if (owner == 0) {
        if (first) {  // starts it, with a launcher of its own, and is killed like all others
          auto mine = Launcher::start();
          if (!mine || !mine->launch(request)) ::_exit(37);
          std::ofstream(taken.native() + ".started") << "1";
          live_as_owner(request, taken);
        }
        live_as_owner(request, taken);
      }
      if (first) {
        ASSERT_TRUE(eventually([&] { return fs::exists(taken.native() + ".started"); }));
      }
      const auto life =
          std::chrono::microseconds(std::uniform_int_distribution(500, 60'000)(random));
      std::this_thread::sleep_for(life);
      ::kill(owner, SIGKILL);
      ASSERT_EQ(::waitpid(owner, &status, 0), owner);
      if (WIFEXITED(status)) break;
      ++kills;
    }
    started_.push_back(read_meta(request.dir).value());
    EXPECT_EQ(WEXITSTATUS(status), 33);
    EXPECT_GT(kills, 3);
    std::string expected;
    for (int i = 0; i < 3000; ++i) expected += fmt::format("line {} of what the agent says\n", i);
    EXPECT_EQ(text(taken), expected);
  }
}

TEST_F(ProcessTest, S1_OwnerKilledWhileLaunchingStartsOneProgram) {
  std::mt19937 random(7);
  for (int round = 0; round < 25; ++round) {
    HostRequest request = script("echo once >> starts", fmt::format("a{}", round));
    request.cwd = folder_ / fmt::format("work{}", round);
    fs::create_directory(request.cwd);
    const int owner = ::fork();
    if (owner == 0) {
      auto mine = Launcher::start();
      if (mine) (void)mine->launch(request);
      ::_exit(0);
    }
    std::this_thread::sleep_for(
        std::chrono::microseconds(std::uniform_int_distribution(0, 4'000)(random)));
    ::kill(owner, SIGKILL);
    ::waitpid(owner, nullptr, 0);
    // The next owner does what every owner does: it launches, and attaches where it is told
    // kConflict. What the dead one asked for may still be on its way.
    const auto meta = launcher().launch(request);
    if (!meta) {
      ASSERT_EQ(meta.error().code, Code::kConflict) << full_message(meta.error());
    }
    started_.push_back(read_meta(request.dir).value());
    EXPECT_EQ(wait_for_exit(started_.back(), request.dir).exit_code, 0);
    EXPECT_EQ(text(request.cwd / "starts"), "once\n");
  }
}

}  // namespace
}  // namespace wave::process
