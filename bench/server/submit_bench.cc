// Runs on their way in.
#include <fmt/core.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/json.h"
#include "load/clients.h"
#include "load/events.h"
#include "load/wire.h"
#include "measure.h"
#include "project.h"
#include "server/served_project.h"
#include "store/store.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;

constexpr int kConnections = 64;
constexpr std::chrono::milliseconds kLoadTime{4'000};
constexpr int kRounds = 200;
constexpr std::string_view kBody = R"({"pipeline":"one","input":"what this run is about"})";

double a_second(const RequestLoad& load) {
  return static_cast<double>(load.requests) / std::chrono::duration<double>(load.wall).count();
}

/// Runs that a store knows of, as the next server would find them.
size_t stored_runs(const std::filesystem::path& project) {
  auto store = store::open_store({.project = project});
  if (!store) give_up(full_message(store.error()));
  const auto figures = (*store)->figures();
  if (!figures) give_up(full_message(figures.error()));
  size_t runs = 0;
  for (const auto& [status, count] : figures->runs) runs += static_cast<size_t>(count);
  return runs;
}

/// The only slot is taken, so that runs come in and wait: nothing but the submits is measured.
Figure submits(const std::filesystem::path& scratch) {
  const auto project = make_project(scratch / "submits");
  write_pipeline(project, "one", "  - id: s\n    type: command\n    script: \"true\"\n");
  write_pipeline(project, "hold", "  - id: s\n    type: command\n    script: \"sleep 20\"\n");
  ServedProject server(project, {"--max-concurrent", "1"});
  Caller(server.port()).post("/api/runs", R"({"pipeline":"hold"})");
  const RequestLoad floor =
      load_requests(server.port(), request_for("/api/health"), kConnections, kLoadTime / 4);
  const RequestLoad load =
      load_requests(server.port(), post_request("/api/runs", kBody), kConnections, kLoadTime);
  server.kill();
  const size_t stored = stored_runs(project);
  if (stored < load.requests)
    give_up(fmt::format("{} runs were accepted, {} are stored", load.requests, stored));
  return {fmt::format("runs submitted over {} connections, all found again after kill -9",
                      kConnections),
          fmt::format("{:.0f} a second, p99 {}", a_second(load),
                      milliseconds(percentile(load.latencies, 0.99))),
          fmt::format("GET /api/health: {:.0f} a second; bare write and fdatasync (p50): {}",
                      a_second(floor), milliseconds(percentile(bare_sync(scratch, 200), 0.5))),
          "2,000 a second"};
}

/// Until the stream of the run has brought an event, over a connection of its own; then to its end.
nanoseconds first_event(uint16_t port, const std::string& run_id, int64_t begin) {
  const UniqueFd socket = connect_to(port);
  send_request(socket.get(), request_for("/api/runs/" + run_id + "/events"));
  std::string bytes;
  nanoseconds took{};
  char buffer[16384];
  while (true) {
    const ssize_t size = ::recv(socket.get(), buffer, sizeof(buffer), 0);
    if (size <= 0) return took;
    bytes.append(buffer, static_cast<size_t>(size));
    if (took.count() == 0 && bytes.contains("\nid: ")) took = nanoseconds(monotonic_ns() - begin);
  }
}

Figure first_events(const std::filesystem::path& scratch) {
  const auto project = make_project(scratch / "first");
  write_pipeline(project, "one", "  - id: s\n    type: command\n    script: \"true\"\n");
  const ServedProject server(project);
  Caller caller(server.port());
  std::vector<nanoseconds> samples, posts;
  for (int i = 0; i < kRounds; ++i) {
    const int64_t begin = monotonic_ns();
    const Reply reply = caller.post("/api/runs", kBody);
    posts.emplace_back(monotonic_ns() - begin);
    const auto body = parse_json(reply.body);
    if (reply.status != 201 || !body) give_up(reply.body);
    samples.push_back(
        first_event(server.port(), std::string(get_string(body->as_object(), "run_id")), begin));
  }
  return {"from a submit to the run's first event on the wire (p99)",
          fmt::format("{}, p50 {}", milliseconds(percentile(samples, 0.99)),
                      milliseconds(percentile(samples, 0.5))),
          fmt::format("the submit's answer: p99 {}, p50 {}", milliseconds(percentile(posts, 0.99)),
                      milliseconds(percentile(posts, 0.5))),
          "< 20 ms"};
}

}  // namespace

std::vector<Figure> bench_server_submit(const std::filesystem::path& scratch) {
  return {submits(scratch), first_events(scratch)};
}

}  // namespace wave::bench
