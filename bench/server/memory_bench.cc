// What a server takes that has nothing to do, and what those take who wait for its events.
#include <fmt/core.h>

#include <fstream>
#include <thread>

#include "auth/certificate.h"
#include "load/clients.h"
#include "load/wire.h"
#include "measure.h"
#include "process.h"
#include "project.h"
#include "server/served_project.h"

namespace wave::bench {
namespace {

constexpr std::chrono::milliseconds kSettle{1'500};
constexpr std::string_view kStream = "/api/events";

std::string mebibytes(int64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

/// What is on its way has been used by then.
int64_t settled(const ServedProject& server) {
  std::this_thread::sleep_for(kSettle);
  return resident_bytes(server.pid());
}

/// The same program, doing nothing at all.
std::string program_alone(const std::filesystem::path& project) {
  const auto peak = project.parent_path() / "peak";
  (void)run({"/usr/bin/time", "-f", "%M", "-o", peak.native(), WAVE_BINARY, "version"}, project,
            environment(project));
  int64_t kib = 0;
  std::ifstream(peak) >> kib;
  return "`wave version`: " + mebibytes(kib << 10);
}

/// As somebody does who looks in.
void look_around(const ServedProject& server) {
  Caller caller(server.port());
  for (const char* target : {"/", "/api/runs", "/api/queue", "/api/gates", "/api/pipelines"})
    if (caller.get(target).status != 200) give_up(target);
}

void add_subscribers(std::vector<Figure>& figures, const ServedProject& server, size_t count,
                     bool tls) {
  const std::string target(kStream);
  {
    const Subscribers warm(server.port(), 100, tls, target);
  }
  const int64_t before = settled(server);
  const Subscribers subscribers(server.port(), count, tls, target);
  const int64_t after = settled(server);
  figures.push_back(
      {fmt::format("resident memory of an idle {} subscriber of `wave serve`, {} of them",
                   tls ? "TLS" : "plain", count),
       fmt::format("{:.2f} KiB",
                   static_cast<double>(after - before) / static_cast<double>(count) / 1024),
       mebibytes(after) + " in all", tls ? "< 20 KB" : "< 2 KB"});
}

void serve_tls(const std::filesystem::path& project) {
  const auto files =
      auth::make_certificates({.folder = project.parent_path() / "tls"}, SystemClock().wall());
  if (!files) return;
  std::ofstream(project / "wave.yaml", std::ios::app)
      << fmt::format("server:\n  tls: {{enabled: true, cert: {}, key: {}}}\n",
                     files->server.native(), files->server_key.native());
}

}  // namespace

std::vector<Figure> bench_server_memory(const std::filesystem::path& scratch) {
  const bool many = raise_descriptor_limit() > 10'200;
  const auto project = make_project(scratch / "memory");
  std::vector<Figure> figures;
  {
    const ServedProject server(project);
    const std::string fresh = mebibytes(settled(server));
    look_around(server);
    figures.push_back(
        {"resident memory of `wave serve`, idle since its start",
         fmt::format("{}; idle again after some requests: {}", fresh, mebibytes(settled(server))),
         program_alone(project), "< 15 MB"});
    add_subscribers(figures, server, many ? size_t{10'000} : size_t{500}, false);
  }
  serve_tls(project);
  add_subscribers(figures, ServedProject(project), many ? size_t{2'000} : size_t{500}, true);
  return figures;
}

}  // namespace wave::bench
