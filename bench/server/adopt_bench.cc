// A server that is killed while many runs are at work, and the next one.
#include <fmt/core.h>
#include <sqlite3.h>

#include <thread>

#include "load/events.h"
#include "load/wire.h"
#include "measure.h"
#include "process.h"
#include "project.h"
#include "server/served_project.h"
#include "store/store.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kPatience{120};

/// Looks at a project's runs, at little cost to who works on them.
class Watcher {
 public:
  explicit Watcher(const std::filesystem::path& project) {
    const auto path = store::StatePaths{project}.database();
    if (sqlite3_open_v2(path.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK)
      give_up("the database cannot be read");
    sqlite3_busy_timeout(database_, 10'000);
  }
  ~Watcher() { sqlite3_close_v2(database_); }
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  /// Waits until `count` runs are running, each with an owner later than `epoch` that has read its
  /// log.
  void wait_for(size_t count, int64_t epoch) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    const std::string owned = fmt::format(
        "SELECT count(*) FROM run WHERE status = 'running' AND owner_epoch > {} AND crash_folds = "
        "0",
        epoch);
    while (number(owned) < static_cast<int64_t>(count)) {
      if (std::chrono::steady_clock::now() > end)
        give_up(fmt::format("{} of {} runs are running", number(owned), count));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  int64_t highest_epoch() { return number("SELECT max(owner_epoch) FROM run"); }

 private:
  int64_t number(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
      give_up(sqlite3_errmsg(database_));
    const int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
  }

  sqlite3* database_ = nullptr;
};

/// The agents of a thousand runs have begun, and the machine has come to rest.
void settle(const ServedProject& server) {
  double before = 0;
  double now = cpu_seconds(server.pid());
  do {
    before = now;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    now = cpu_seconds(server.pid());
  } while (now - before > 0.05);
}

}  // namespace

std::vector<Figure> bench_server_adopt(const std::filesystem::path& scratch) {
  const size_t count = 1'000;
  const auto project = make_project(scratch / "adopt");
  write_pipeline(project, "long", "  - id: s\n    type: command\n    script: \"exec sleep 300\"\n");
  const std::vector<std::string> arguments{"--max-concurrent", std::to_string(count)};
  auto server = std::make_unique<ServedProject>(project, arguments);
  {
    Caller caller(server->port());
    for (size_t i = 0; i < count; ++i) {
      if (caller.post("/api/runs", R"({"pipeline":"long"})").status != 201)
        give_up("a submit failed");
    }
  }
  Watcher watcher(project);
  const int64_t submitted = monotonic_ns();
  watcher.wait_for(count, 0);
  fmt::print(stderr, "bench: {} runs are at work after {}\n", count,
             milliseconds(nanoseconds(monotonic_ns() - submitted)));
  settle(*server);
  const int64_t epoch = watcher.highest_epoch();
  server->kill();
  const int64_t begin = monotonic_ns();
  server = std::make_unique<ServedProject>(project, arguments);
  const nanoseconds ready = server->took();
  watcher.wait_for(count, epoch);
  const nanoseconds adopted(monotonic_ns() - begin);
  const double cpu = cpu_seconds(server->pid());
  const Scheduled loop = scheduled(server->pid());
  server = nullptr;
  // Whoever comes next ends them all.
  auto last = ServedProject(project, {"--max-concurrent", std::to_string(count), "--stop-agents"});
  watcher.wait_for(count, epoch + 1);
  last.stop();
  return {
      {fmt::format("from kill -9 with {} live runs until the next server has adopted all", count),
       milliseconds(adopted),
       fmt::format("it answered after {}; its threads ran for {:.2f} s, its loop of that {}; that "
                   "waited {} for a processor",
                   milliseconds(ready), cpu, milliseconds(loop.ran), milliseconds(loop.waited)),
       "< 1 s"}};
}

}  // namespace wave::bench
