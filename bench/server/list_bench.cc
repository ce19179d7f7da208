// Lists over a long past.
#include <fmt/core.h>

#include "load/events.h"
#include "load/wire.h"
#include "measure.h"
#include "server/filled_store.h"
#include "server/served_project.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;

constexpr int kRequests = 500;
constexpr size_t kDeep = 1'000;  // runs from the oldest

struct List {
  std::string_view what, target;
};
constexpr List kLists[] = {
    {"first page", "/api/runs?"},
    {"page behind 99,000 runs", "/api/runs?cursor={}"},
    {"oldest first", "/api/runs?sort=queued_at"},
    {"deep page of `status=failed`", "/api/runs?status=failed&cursor={}"},
    {"deep page of two statuses", "/api/runs?status=failed&status=cancelled&cursor={}"},
    {"deep page of `pipeline`", "/api/runs?pipeline=fix-bug&cursor={}"},
    {"deep page of `pipeline` and `status`", "/api/runs?pipeline=fix-bug&status=failed&cursor={}"},
    {"deep page of `tag`", "/api/runs?tag=team%3Dcore&cursor={}"},
    {"`tag` that no run has", "/api/runs?tag=team%3Dnone"},
    {"deep page of `actor`", "/api/runs?actor=jwt:ci&cursor={}"},
    {"`actor` and `status` that never meet", "/api/runs?actor=jwt:ada&status=running"},
    {"`since` in the past", "/api/runs?since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"},
    {"`q` that many runs have", "/api/runs?q=parser"},
    {"`q` that no run has", "/api/runs?q=nowhere"},
    {"`q` that one old run has", "/api/runs?q=Ticket%2012:"},
};

std::vector<nanoseconds> ask_often(Caller& caller, const std::string& target) {
  std::vector<nanoseconds> samples;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  for (int i = 0; i < kRequests && std::chrono::steady_clock::now() < end; ++i) {
    const int64_t begin = monotonic_ns();
    const Reply reply = caller.get(target);
    if (reply.status != 200) give_up(target + ": " + reply.body);
    samples.emplace_back(monotonic_ns() - begin);
  }
  return samples;
}

std::string times(const std::vector<nanoseconds>& samples) {
  return fmt::format("p50 {}, p99 {}", milliseconds(percentile(samples, 0.5)),
                     milliseconds(percentile(samples, 0.99)));
}

}  // namespace

std::vector<Figure> bench_server_list(const std::filesystem::path& scratch) {
  const ServedProject server(project_with_past(scratch));
  int client = 1;  // another for each list: a server answers one address only so often
  const auto ask = [&](const std::string& target) {
    Caller caller(server.port(), ++client);
    return times(ask_often(caller, target));
  };
  const std::string floor =
      fmt::format("GET /api/health: {}; 0.4 ms of computing alone: {}", ask("/api/health"),
                  times(bare_computing(std::chrono::microseconds(400), kRequests)));
  std::vector<Figure> figures;
  for (const List& list : kLists) {
    const std::string target = fmt::format(fmt::runtime(list.target), past_run_id(kDeep));
    figures.push_back({fmt::format("GET /api/runs, 100,000 runs: {}", list.what), ask(target),
                       floor, "p99 < 5 ms"});
  }
  return figures;
}

}  // namespace wave::bench
