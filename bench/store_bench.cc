// The durable log by itself.
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "measure.h"
#include "store/snapshot.h"
#include "store/store.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

flow::Event small_event(const std::string& run, uint64_t seq) {
  flow::Event event;
  event.run_id = run;
  event.seq = seq;
  event.kind = seq == 1 ? flow::Kind::kRunQueued : flow::Kind::kStreamActivity;
  event.step = seq == 1 ? "" : "build";
  event.ts = WallTime(Millis(1'767'225'600'000 + static_cast<int64_t>(seq)));
  event.data = {{"kind", "text"}, {"content", "Compiling module and running the tests"}};
  return event;
}

template <typename T>
T must(Result<T> result, std::string_view what) {
  if (result) return *std::move(result);
  fmt::print(stderr, "bench: {}: {}\n", what, full_message(result.error()));
  std::exit(1);
}

struct Producer {
  std::string run;
  int64_t epoch = 0;
  uint64_t next = 2;
};

Producer make_run(store::Store& store, int number) {
  Producer producer{.run = fmt::format("bench-20260101-000000-{:010}", number)};
  store::NewRun run{.run_id = producer.run,
                    .pipeline = "bench",
                    .snapshot = must(store::save_snapshot(
                                         store, {.manifest_path = "wave.yaml",
                                                 .pipeline = "bench",
                                                 .files = {{"wave.yaml", "kind: WaveManifest\n"}},
                                                 .facts = {}}),
                                     "save_snapshot")};
  run.events.push_back(small_event(producer.run, 1));
  run.projection.run.run_id = producer.run;
  run.projection.run.pipeline = "bench";
  run.projection.run.status = "queued";
  run.projection.run.last_seq = 1;
  must(store.create_run(run), "create_run");
  producer.epoch = must(store.take_ownership(producer.run), "take_ownership");
  return producer;
}

// Each producer keeps a few appends of `batch` events under way, as owners of busy runs do.
double events_per_second(store::Store& store, int producers, int batch, int total) {
  std::vector<std::thread> threads;
  const auto begin = steady_clock::now();
  for (int i = 0; i < producers; ++i) {
    threads.emplace_back([&, i] {
      Producer producer = make_run(store, i + producers * 1000 + batch * 100'000);
      std::mutex mutex;
      std::condition_variable freed;
      int under_way = 0;
      for (int sent = 0; sent < total / producers; sent += batch) {
        store::Append append{.run_id = producer.run, .owner_epoch = producer.epoch};
        for (int n = 0; n < batch; ++n)
          append.events.push_back(small_event(producer.run, producer.next++));
        std::unique_lock lock(mutex);
        freed.wait(lock, [&] { return under_way < 4; });
        ++under_way;
        lock.unlock();
        store.append(std::move(append), [&](const Status& status) {
          if (!status) {
            fmt::print(stderr, "bench: {}\n", full_message(status.error()));
            std::_Exit(1);
          }
          const std::lock_guard done(mutex);
          --under_way;
          freed.notify_all();
        });
      }
      std::unique_lock lock(mutex);
      freed.wait(lock, [&] { return under_way == 0; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  return total / std::chrono::duration<double>(steady_clock::now() - begin).count();
}

nanoseconds one_append(store::Store& store) {
  Producer producer = make_run(store, 999'999);
  std::vector<nanoseconds> samples;
  for (int i = 0; i < 300; ++i) {
    const auto begin = steady_clock::now();
    store::Append append{.run_id = producer.run, .owner_epoch = producer.epoch};
    append.events.push_back(small_event(producer.run, producer.next++));
    if (!store.append_and_wait(std::move(append))) std::_Exit(1);
    samples.push_back(steady_clock::now() - begin);
  }
  return percentile(samples, 0.5);
}

// A page that makes a file longer costs the file system's journal as well; one that is written
// over, as the store's log mostly is, does not.
nanoseconds bare_fdatasync(const std::filesystem::path& scratch, bool grows) {
  const UniqueFd fd(::open((scratch / "sync").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600));
  std::vector<nanoseconds> samples;
  const std::string page(4096, 'x');
  for (int i = 0; i < 300; ++i) {
    const auto begin = steady_clock::now();
    if (!grows) ::lseek(fd.get(), 0, SEEK_SET);
    if (!write_all(fd.get(), page) || ::fdatasync(fd.get()) != 0) std::abort();
    samples.push_back(steady_clock::now() - begin);
  }
  return percentile(samples, 0.5);
}

}  // namespace

std::vector<Figure> bench_store(const std::filesystem::path& scratch) {
  const auto folder = scratch / "store";
  std::filesystem::create_directories(folder);
  auto store = store::open_store({.project = folder});
  if (!store) return {{"events appended", store.error().message, "", ""}};
  std::vector<Figure> figures;
  const std::string sync =
      fmt::format("at the end {}, written over {}", milliseconds(bare_fdatasync(scratch, true)),
                  milliseconds(bare_fdatasync(scratch, false)));
  figures.push_back({"one durable append of one event (p50)", milliseconds(one_append(**store)),
                     "bare write and fdatasync of a page: " + sync, ""});
  for (const auto& [producers, batch] : {std::pair(1, 1), std::pair(64, 1), std::pair(64, 32)}) {
    const double rate = events_per_second(**store, producers, batch, batch == 1 ? 64'000 : 640'000);
    figures.push_back(
        {fmt::format("events appended per second, durable, {} run(s), {} event(s) an append",
                     producers, batch),
         fmt::format("{:.0f}", rate), "", producers == 64 && batch == 32 ? "100,000/s" : ""});
  }
  return figures;
}

}  // namespace wave::bench
