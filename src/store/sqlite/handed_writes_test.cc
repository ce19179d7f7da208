// Where a server lives, it writes for all processes of the project; elsewhere nobody is suspended
// while it holds the write lock.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "base/stop_gate.h"
#include "store/server_lock.h"
#include "store/sqlite/write_request.h"
#include "store/store.h"
#include "store/test_support.h"

namespace wave::store {
namespace {

using namespace std::chrono_literals;

/// A forked child; killed and reaped by the destructor at the latest. Fork before there are
/// threads.
class ForkedWriter {
 public:
  template <typename Body>
  explicit ForkedWriter(Body body) {
    int go[2], told[2];
    if (::pipe2(go, O_CLOEXEC) != 0 || ::pipe2(told, O_CLOEXEC) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setpgid(0, 0);
      char byte = 0;
      ::close(go[1]);
      if (::read(go[0], &byte, 1) == 1) body(told[1]);
      ::_exit(0);
    }
    go_ = UniqueFd(go[1]);
    told_ = UniqueFd(told[0]);
    ::close(go[0]);
    ::close(told[1]);
  }
  ~ForkedWriter() { kill(); }
  ForkedWriter(const ForkedWriter&) = delete;
  ForkedWriter& operator=(const ForkedWriter&) = delete;

  void go() { (void)!::write(go_.get(), "g", 1); }
  void signal(int number) const { ::kill(pid_, number); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }
  /// Waits for the next number that the child tells; nothing: it has ended.
  std::optional<uint64_t> next() {
    uint64_t number = 0;
    return ::read(told_.get(), &number, sizeof number) == sizeof number ? std::optional(number)
                                                                        : std::nullopt;
  }
  /// What waitpid says of it, once it says something.
  int wait(int options) {
    int status = 0;
    ::waitpid(pid_, &status, options);
    if (!WIFSTOPPED(status) && !WIFCONTINUED(status)) pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  UniqueFd go_, told_;
};

void tell_number(int fd, uint64_t number) {
  (void)!::write(fd, &number, sizeof number);
}

/// Appends to the run for ever, telling each event that is on disk.
void append_for_ever(const StatePaths& paths, const std::string& run_id, int told) {
  auto store = open_store(paths);
  if (!store) return;
  for (uint64_t seq = (*store)->run(run_id)->row.last_seq + 1;; ++seq) {
    // As an owner does it: what was refused is sent again.
    while (!(*store)->append_and_wait(activity(run_id, seq))) {
    }
    tell_number(told, seq);
  }
}

TEST(Promises, O9_ASuspendedCommandLineDoesNotHoldTheServerUp) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ForkedWriter writer([&](int told) { append_for_ever(paths, "r-child", told); });
  const auto lock = ServerLock::acquire(paths);
  ASSERT_OK(lock);
  auto server = open_store(paths, {.server = true});
  ASSERT_OK(server);
  ASSERT_OK((*server)->create_run(new_run("r-child")));
  writer.go();
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    const auto some = std::uniform_int_distribution<int>(1, 5)(random);
    for (int i = 0; i < some; ++i) ASSERT_TRUE(writer.next().has_value());
    ::usleep(std::uniform_int_distribution<useconds_t>(0, 3000)(random));  // anywhere in a write
    writer.signal(SIGSTOP);
    ASSERT_TRUE(WIFSTOPPED(writer.wait(WUNTRACED)));
    const Result<CreatedRun> created = (*server)->create_run(new_run(fmt::format("r-{}", round)));
    ASSERT_OK(created);
    writer.signal(SIGCONT);
  }
  writer.kill();
  expect_no_hole(all_events(**server, "r-child"));
}

TEST(HandedWrites, GoOnWhenServersComeAndGo) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK((*open_store(paths))->create_run(new_run("r-child")));
  ForkedWriter writer([&](int told) { append_for_ever(paths, "r-child", told); });
  std::vector<std::unique_ptr<ForkedWriter>> servers;
  for (int i = 0; i < 4; ++i) {
    servers.push_back(std::make_unique<ForkedWriter>([&](int told) {
      const auto lock = ServerLock::acquire(paths);
      const auto store = open_store(paths, {.server = true});
      tell_number(told, lock && store ? 1 : 0);
      ::pause();
    }));
  }
  writer.go();
  uint64_t last = 0;
  const auto expect_progress = [&] {
    for (int i = 0; i < 5; ++i) {
      const auto seq = writer.next();
      ASSERT_TRUE(seq.has_value());
      ASSERT_EQ(*seq, last + 1 + (last == 0 ? 1 : 0));
      last = *seq;
    }
  };
  for (const auto& server : servers) {
    expect_progress();
    server->go();
    ASSERT_EQ(server->next(), 1u);
    expect_progress();
    server->kill();
  }
  expect_progress();
  writer.kill();
  const auto events = all_events(**open_store(paths), "r-child");
  expect_no_hole(events);
  EXPECT_GE(events.size(), last);
}

TEST(HandedWrites, TheServerDoesWhatIsAskedAndSaysWhatCameOfIt) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  const auto lock = ServerLock::acquire(paths);
  ASSERT_OK(lock);
  auto server = open_store(paths, {.server = true});
  ASSERT_OK(server);
  auto opened = open_store(paths);
  ASSERT_OK(opened);
  Store& store = **opened;
  ASSERT_OK(store.create_run(new_run("r-1")));
  EXPECT_FAILS(store.create_run(new_run("r-1")), Code::kConflict);
  EXPECT_EQ(*store.take_ownership("r-1"), 1);
  EXPECT_EQ(*store.note_fold("r-1", false), 1);
  EXPECT_EQ(*store.note_fold("r-1", true), 0);
  EXPECT_FAILS(store.append_and_wait(activity("r-1", 2, 0)), Code::kRunLocked);
  ASSERT_OK(store.append_and_wait([] {
    Append gate = gate_of("r-1", 2, "g-1");
    gate.owner_epoch = 1;
    gate.spool_marks = {
        {.step = "build", .out_offset = 7, .parser_state = std::string("\0\xFF", 2)}};
    return gate;
  }()));
  EXPECT_EQ(store.run("r-1")->gates.front().approvers,
            (std::vector<std::string>{"ada", "role:admin"}));
  EXPECT_EQ(store.spool_marks("r-1")->front().parser_state, std::string("\0\xFF", 2));
  ASSERT_OK(store.submit_command(gate_decision("r-1", "g-1", "yes", "ada")));
  const auto again = store.submit_command(gate_decision("r-1", "g-1", "no", "bob"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kGateDecided);
  EXPECT_THAT(again.error().message, testing::HasSubstr("\"yes\" by ada"));
  ASSERT_OK(store.append_and_wait(end_of("r-1", 3, "completed", 1)));
  ASSERT_OK(store.access()->append_audit({.actor = "cli:ada", .action = "revokeToken"}));
  ASSERT_OK(store.prune_run("r-1"));
  EXPECT_FAILS((*server)->run("r-1"), Code::kPruned);
  EXPECT_FAILS(store.access()->add_session({.id = "s"}), Code::kStoreBusy);
}

TEST(HandedWrites, AServerWaitsForWhoWritesAndThenNobodyElseDoes) {
  TemporaryProject project;
  const StatePaths paths = project.paths();
  ASSERT_OK(make_directories(paths.state(), 0700));
  WriteTurn turn(paths);
  ASSERT_TRUE(*turn.take());
  std::optional<Result<ServerLock>> lock;
  std::thread server([&] { lock.emplace(ServerLock::acquire(paths)); });
  const auto end = std::chrono::steady_clock::now() + 30s;
  while (!living_server(paths) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  WriteTurn late(paths);
  EXPECT_FALSE(*late.take()) << "a server is coming";
  turn.give_back();
  server.join();
  ASSERT_OK(*lock);
  EXPECT_FALSE(*turn.take());
  EXPECT_FAILS(ServerLock::acquire(paths), Code::kConflict);
}

TEST(StopGate, SuspendsOutsideOfTransactionsOnly) {
  ForkedWriter child([](int told) {
    install_stop_gate();
    {
      const NoStop no_stop;
      ::raise(SIGTSTP);
      tell_number(told, 1);  // not stopped
    }
    tell_number(told, 2);  // after it went on
  });
  child.go();
  EXPECT_EQ(child.next(), 1u);
  const int status = child.wait(WUNTRACED);
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_EQ(WSTOPSIG(status), SIGTSTP);
  child.signal(SIGCONT);
  EXPECT_EQ(child.next(), 2u);
}

TEST(WriteRequest, EveryRequestTravelsWholeAndNoPieceOfOneDoes) {
  using namespace sqlite;
  NewRun run = new_run("r-1");
  run.projection.run.input = std::string("\xFF\0x", 3);
  Append end = end_of("r-1", 2);
  end.projection->gates.push_back({.gate_id = "g", .choices = {"a"}, .approvers = {"ada"}});
  end.spool_marks.push_back({.step = "build", .visit = 1});
  const std::vector<WriteRequest> requests{run,
                                           EncodedAppend(end),
                                           TakeOwnership{{{.run_id = "r-1", .note_fold = true}}},
                                           NoteFold{"r-1", true},
                                           EndFolds{{"r-1", "r-2"}},
                                           gate_decision("r-1", "g", "yes", "ada"),
                                           PruneRows{"r-1", at_ms(1)},
                                           PruneEvents{7},
                                           RemoveBlobs{{"abc"}},
                                           AddLoginCode{{.code_hash = "h"}, at_ms(1)},
                                           RevokeToken{{.id = "t"}, at_ms(1)},
                                           AuditEntry{.actor = "ada"}};
  for (const WriteRequest& request : requests) {
    const std::string bytes = pack(request);
    const auto unpacked = unpack_request(bytes);
    ASSERT_OK(unpacked);
    EXPECT_EQ(unpacked->index(), request.index());
    EXPECT_EQ(pack(*unpacked), bytes);
    for (size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(unpack_request(bytes.substr(0, size))) << request.index() << " at " << size;
    }
  }
}

}  // namespace
}  // namespace wave::store
