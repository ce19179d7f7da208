// A server that is killed while many runs are at work, and the next one.
#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "load/events.h"
#include "load/wire.h"
#include "measure.h"
#include "project.h"
#include "server/served_project.h"
#include "store/store.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::seconds kPatience{120};

/// Looks at the runs of a project as another process does.
class Watcher {
 public:
  explicit Watcher(const std::filesystem::path& project) {
    auto store = store::open_store({.project = project}, {.create = false, .read_only = true});
    if (!store) give_up(full_message(store.error()));
    store_ = *std::move(store);
  }

  /// Waits until `count` runs are running, each with an owner later than `epoch`, who knows it.
  void wait_for(size_t count, int64_t epoch) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (owned_after(epoch) < count) {
      if (std::chrono::steady_clock::now() > end)
        give_up(fmt::format("{} of {} runs are running", owned_after(epoch), count));
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  int64_t highest_epoch() {
    int64_t highest = 0;
    for (const store::LiveRun& run : live()) highest = std::max(highest, run.owner_epoch);
    return highest;
  }
  /// Whether each run's log was read to its end by its last owner.
  bool all_folded() {
    return std::ranges::all_of(live(), [&](const store::LiveRun& run) {
      const auto details = store_->run(run.run_id);
      return details && details->crash_folds == 0;
    });
  }

 private:
  std::vector<store::LiveRun> live() {
    auto runs = store_->live_runs();
    if (!runs) give_up(full_message(runs.error()));
    return *std::move(runs);
  }
  size_t owned_after(int64_t epoch) {
    return static_cast<size_t>(std::ranges::count_if(live(), [&](const store::LiveRun& run) {
      return run.status == "running" && run.owner_epoch > epoch;
    }));
  }

  std::unique_ptr<store::Store> store_;
};

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
  const int64_t epoch = watcher.highest_epoch();
  server->kill();
  const int64_t begin = monotonic_ns();
  server = std::make_unique<ServedProject>(project, arguments);
  const nanoseconds ready = server->took();
  watcher.wait_for(count, epoch);
  while (!watcher.all_folded()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const nanoseconds adopted(monotonic_ns() - begin);
  server = nullptr;
  // Whoever comes next ends them all.
  auto last = ServedProject(project, {"--max-concurrent", std::to_string(count), "--stop-agents"});
  watcher.wait_for(count, epoch + 1);
  last.stop();
  return {
      {fmt::format("from kill -9 with {} live runs until the next server has adopted all", count),
       milliseconds(adopted), "it answered after " + milliseconds(ready), "< 1 s"}};
}

}  // namespace wave::bench
