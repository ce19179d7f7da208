// How long it takes until a server answers.
#include <fmt/core.h>

#include "measure.h"
#include "project.h"
#include "server/filled_store.h"
#include "server/served_project.h"

namespace wave::bench {
namespace {

constexpr int kStarts = 11;

std::string program_start(const std::filesystem::path& project) {
  std::vector<std::chrono::nanoseconds> samples;
  for (int i = 0; i < kStarts; ++i)
    samples.push_back(run({WAVE_BINARY, "version"}, project, environment(project)).wall);
  return "`wave version`: " + milliseconds(percentile(samples, 0.5));
}

Figure start_figure(const std::filesystem::path& project, const std::string& store) {
  std::vector<std::chrono::nanoseconds> samples;
  for (int i = 0; i < kStarts; ++i) {
    ServedProject server(project);
    samples.push_back(server.took());
    server.stop();
  }
  return {"from `wave serve` to its first answer, " + store + " (p50)",
          fmt::format("{}, slowest {}", milliseconds(percentile(samples, 0.5)),
                      milliseconds(percentile(samples, 1.0))),
          program_start(project), "< 50 ms"};
}

/// What a server that was killed leaves in the write-ahead log is read by the next one.
Figure after_kill(const std::filesystem::path& project) {
  std::vector<std::chrono::nanoseconds> samples;
  for (int i = 0; i < kStarts; ++i) {
    ServedProject server(project);
    samples.push_back(server.took());
    server.kill();
  }
  return {"the same, after kill -9 (p50)", milliseconds(percentile(samples, 0.5)),
          program_start(project), "< 50 ms"};
}

}  // namespace

std::vector<Figure> bench_server_start(const std::filesystem::path& scratch) {
  const auto empty = make_project(scratch / "empty");
  const auto past = project_with_past(scratch);
  return {start_figure(empty, "empty store"),
          start_figure(past, "100,000 runs and 5,000,000 events in store"), after_kill(past)};
}

}  // namespace wave::bench
