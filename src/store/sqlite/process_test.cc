// Several processes on one database, on the real disk.
#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "base/file.h"
#include "store/owner_lock.h"
#include "store/store.h"
#include "store/test_support.h"

namespace wave::store {
namespace {

/// A forked child that runs `body` with the end of a pipe; killed and reaped at the latest by the
/// destructor. Fork only while this process has no threads of its own.
class Child {
 public:
  template <typename Body>
  explicit Child(Body body) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      body(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    out_ = UniqueFd(ends[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { kill(); }

  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// Whether the child ended by itself without a complaint.
  bool wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }
  /// The next number the child wrote; nothing when it has ended.
  std::optional<uint64_t> next() {
    uint64_t number = 0;
    const ssize_t got = ::read(out_.get(), &number, sizeof number);
    return got == sizeof number ? std::optional(number) : std::nullopt;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd out_;
};

void tell(int fd, uint64_t number) {
  (void)!::write(fd, &number, sizeof number);
}

std::unique_ptr<Store> open_or_throw(const StatePaths& paths) {
  auto store = open_store(paths);
  if (!store) throw std::runtime_error(full_message(store.error()));
  return std::move(*store);
}

TEST(Promises, E11_KilledWriterTakesNothingAcknowledgedAndLeavesNoHole) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK(open_or_throw(paths)->create_run(new_run("r-1")));
  std::mt19937 random(7);
  uint64_t acknowledged = 1;
  for (int round = 0; round < 15; ++round) {
    Child writer([&](int out) {
      auto store = open_or_throw(paths);
      const uint64_t there = store->run("r-1")->row.last_seq;
      for (uint64_t seq = there + 1;; ++seq) {
        store->append(activity("r-1", seq), [out, seq](Status status) {
          if (status) tell(out, seq);
        });
        if (seq % 8 == 0) ::usleep(200);
      }
    });
    const auto count = std::uniform_int_distribution<int>(0, 300)(random);
    for (int i = 0; i < count; ++i) {
      const auto seq = writer.next();
      ASSERT_TRUE(seq.has_value());
      acknowledged = std::max(acknowledged, *seq);
    }
    writer.kill();
    while (const auto seq = writer.next()) acknowledged = std::max(acknowledged, *seq);

    auto store = open_or_throw(paths);
    const auto events = all_events(*store, "r-1");
    expect_no_hole(events);
    ASSERT_GE(events.size(), acknowledged);
    acknowledged = events.size();  // what one reader has seen is there for all that follow
  }
}

TEST(Promises, Q1_CreatedRunSurvivesKillMinusNine) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  for (uint64_t round = 0; round < 5; ++round) {
    const std::string id = fmt::format("r-{}", round);
    Child creator([&](int out) {
      auto store = open_or_throw(paths);
      if (store->create_run(new_run(id))) tell(out, round);
      ::pause();
    });
    ASSERT_EQ(creator.next(), round);
    creator.kill();
    ASSERT_OK(open_or_throw(paths)->run(id));
  }
}

TEST(TwoProcesses, WriteTheirOwnRunsAtTheSameTime) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  constexpr uint64_t kEvents = 200;
  const auto write_run = [&](const std::string& id) {
    auto store = open_or_throw(paths);
    if (!store->create_run(new_run(id))) return false;
    for (uint64_t seq = 2; seq <= kEvents; ++seq) {
      if (!store->append_and_wait(activity(id, seq))) return false;
    }
    return true;
  };
  // Both create the database as well.
  Child other([&](int) {
    if (!write_run("theirs")) ::_exit(1);
  });
  EXPECT_TRUE(write_run("ours"));
  EXPECT_TRUE(other.wait());
  auto store = open_or_throw(paths);
  for (const char* id : {"ours", "theirs"}) {
    const auto events = all_events(*store, id);
    expect_no_hole(events);
    EXPECT_EQ(events.size(), kEvents);
  }
}

TEST(TwoProcesses, DoorbellTellsOfTheOthersCommit) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK(open_or_throw(paths)->create_run(new_run("r-1")));
  int go[2];
  ASSERT_EQ(::pipe2(go, O_CLOEXEC), 0);
  Child writer([&](int) {
    char byte = 0;
    (void)!::read(go[0], &byte, 1);
    Command cancel;
    cancel.run_id = "r-1";
    cancel.kind = "cancel";
    if (!open_or_throw(paths)->submit_command(cancel)) ::_exit(1);
  });
  auto store = open_or_throw(paths);
  Tally heard;
  store->subscribe([&](const std::string& run_id, uint64_t) { heard.add("run:" + run_id); });
  EXPECT_EQ(::write(go[1], "x", 1), 1);
  EXPECT_TRUE(heard.wait_for_text("run:"));
  EXPECT_EQ(store->pending_commands("r-1")->size(), 1U);
  EXPECT_TRUE(writer.wait());
  ::close(go[0]);
  ::close(go[1]);
}

TEST(OwnerLock, IsHeldByOneProcessAndEndsWithIt) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK(make_directories(paths.state()));
  EXPECT_FALSE(OwnerLock::is_held(paths, "r-1"));
  Child owner([&](int out) {
    const auto lock = OwnerLock::acquire(paths, "r-1");
    tell(out, lock ? static_cast<uint64_t>(::getpid()) : 0);
    ::pause();
  });
  const auto pid = owner.next();
  ASSERT_TRUE(pid && *pid != 0);
  EXPECT_TRUE(OwnerLock::is_held(paths, "r-1"));
  const auto refused = OwnerLock::acquire(paths, "r-1");
  EXPECT_FAILS(refused, Code::kRunLocked);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(fmt::format("process {}", *pid)));
  EXPECT_TRUE(OwnerLock::is_held(paths, "r-1")) << "looking does not take it";
  EXPECT_OK(OwnerLock::acquire(paths, "r-2"));
  owner.kill();
  EXPECT_FALSE(OwnerLock::is_held(paths, "r-1"));
  EXPECT_OK(OwnerLock::acquire(paths, "r-1"));
}

TEST(OwnerLock, IsExclusiveWithinAProcess) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK(make_directories(paths.state()));
  {
    const auto lock = OwnerLock::acquire(paths, "r-1");
    ASSERT_OK(lock);
    EXPECT_FAILS(OwnerLock::acquire(paths, "r-1"), Code::kRunLocked);
    EXPECT_TRUE(OwnerLock::is_held(paths, "r-1"));
  }
  EXPECT_FALSE(OwnerLock::is_held(paths, "r-1"));
}

TEST(OwnerLock, MessageNamesNoProcessThatIsNotTheOwner) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK(make_directories(paths.state()));
  const auto lock = OwnerLock::acquire(paths, "r-1");
  ASSERT_OK(lock);
  // As if our number had been given to somebody else since.
  ASSERT_OK(write_file(paths.owner_lock("r-1"), fmt::format("{} 1\n", ::getpid())));
  const auto refused = OwnerLock::acquire(paths, "r-1");
  EXPECT_FAILS(refused, Code::kRunLocked);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("by another process"));
  EXPECT_FAILS(OwnerLock::acquire(paths, "../r-1"), Code::kUsage);
}

}  // namespace
}  // namespace wave::store
