#include "server/filled_store.h"

#include <fmt/core.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "load/wire.h"
#include "project.h"
#include "store/snapshot.h"
#include "store/store.h"

namespace wave::bench {
namespace {

using flow::Kind;

constexpr size_t kWriters = 64;  // they share commits
constexpr int64_t kFirst = 1'767'225'600'000;
constexpr int64_t kApart = 60'000;
constexpr std::array kSteps{"plan", "implement", "review"};
constexpr std::array kPipelines{"implement-feature", "review-change", "fix-bug", "write-docs",
                                "release"};

template <typename T>
T must(Result<T> result) {
  if (!result) give_up(full_message(result.error()));
  return *std::move(result);
}

flow::Event event_of(const std::string& run_id, size_t seq, size_t last, WallTime ts) {
  flow::Event event;
  event.run_id = run_id;
  event.seq = seq;
  event.ts = ts;
  if (seq == 1) {
    event.kind = Kind::kRunQueued;
    event.data = {{"pipeline", "implement-feature"}};
    return event;
  }
  event.kind = Kind::kRunStarted;
  if (seq == 2) return event;
  event.kind = Kind::kRunCompleted;
  event.data = {{"status", "success"}};
  if (seq == last) return event;
  event.kind = Kind::kStreamActivity;
  event.step = kSteps[seq * kSteps.size() / (last + 1)];
  event.persona = "craftsman";
  event.attempt = event.visit = 1;
  event.data = {{"kind", "text"},
                {"content", "Looking at the tests of the parser, and at what they leave out"},
                {"offset", static_cast<int64_t>(seq) * 71}};
  return event;
}

std::string status_of(size_t number) {
  if (number % 12 == 0) return "failed";
  return number % 50 == 7 ? "cancelled" : "completed";
}

flow::Projection projection_of(const store::NewRun& run, size_t number) {
  flow::Projection projection;
  flow::RunRow& row = projection.run;
  row.run_id = run.run_id;
  row.pipeline = run.pipeline;
  row.status = status_of(number);
  row.actor = number % 3 == 0 ? "jwt:ci" : "jwt:ada";
  row.input =
      fmt::format("Ticket {}: the parser loses the last line of files without a newline", number);
  row.tags = {{"team", number % 2 == 0 ? "core" : "web"}};
  row.last_seq = run.events.size();
  row.queued_at = run.events[0].ts;
  row.started_at = run.events[1].ts;
  row.finished_at = row.updated_at = run.events.back().ts;
  row.steps_total = row.steps_done = kSteps.size();
  row.usage.tokens_in = 1200;
  row.usage.cost_usd = 0.25;
  for (size_t i = 0; i < kSteps.size(); ++i) {
    flow::StepRow step;
    step.index = static_cast<int>(i);
    step.step = kSteps[i];
    step.status = "completed";
    step.persona = "craftsman";
    step.adapter = "claude";
    step.visit = step.attempt = 1;
    step.started_at = row.started_at;
    step.finished_at = row.finished_at;
    projection.steps.push_back(std::move(step));
  }
  return projection;
}

store::NewRun past_run(size_t number, const Past& past, const std::string& snapshot) {
  store::NewRun run;
  run.run_id = past_run_id(number);
  run.pipeline = kPipelines[number % kPipelines.size()];
  run.snapshot = snapshot;
  const int64_t begin = kFirst + static_cast<int64_t>(number) * kApart;
  for (size_t seq = 1; seq <= past.events_each; ++seq) {
    run.events.push_back(event_of(run.run_id, seq, past.events_each,
                                  WallTime(Millis(begin + static_cast<int64_t>(seq) * 1'000))));
  }
  run.projection = projection_of(run, number);
  return run;
}

}  // namespace

std::string past_run_id(size_t number) {
  return fmt::format("past-20260101-000000-{:010}", number);
}

void fill_store(const std::filesystem::path& project, const Past& past) {
  const auto begin = std::chrono::steady_clock::now();
  const auto store = must(store::open_store({.project = project}));
  const std::string snapshot =
      must(store::save_snapshot(*store, {.manifest_path = "wave.yaml",
                                         .pipeline = "implement-feature",
                                         .files = {{"wave.yaml", "kind: WaveManifest\n"}},
                                         .facts = {}}));
  std::atomic<size_t> next = 0;
  std::vector<std::thread> writers;
  for (size_t i = 0; i < kWriters; ++i) {
    writers.emplace_back([&] {
      for (size_t number = next++; number < past.runs; number = next++)
        must(store->create_run(past_run(number, past, snapshot)));
    });
  }
  for (std::thread& writer : writers) writer.join();
  fmt::print(stderr, "bench: {} runs with {} events written in {:.0f} s\n", past.runs,
             past.runs * past.events_each,
             std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
}

std::filesystem::path project_with_past(const std::filesystem::path& scratch) {
  const char* kept = std::getenv("WAVE_BENCH_PAST");
  const std::filesystem::path folder = kept != nullptr ? kept : scratch / "past";
  const auto project = folder / "project";
  if (std::filesystem::exists(project)) return project;
  make_project(folder);
  fill_store(project, {});
  return project;
}

}  // namespace wave::bench
