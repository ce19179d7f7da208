// From an event's making to the wire of everybody who follows its run.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>

#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "load/clients.h"
#include "load/events.h"
#include "load/target.h"
#include "load/wire.h"
#include "measure.h"
#include "project.h"
#include "server/appender.h"
#include "server/served_project.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;

constexpr size_t kPieces = 25, kPiece = 200;  // of the burst

/// A run of the server's own, whose agent says what it is given.
class Talker {
 public:
  Talker(const std::filesystem::path& project, uint16_t port) {
    const auto fifo = project.parent_path() / "fifo";
    if (::mkfifo(fifo.c_str(), 0600) != 0) give_up("no fifo");
    fifo_ = UniqueFd(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
    write_pipeline(project, "talk",
                   fmt::format("  - id: talk\n    type: command\n    script: \"exec cat {}\"\n",
                               fifo.native()));
    Caller caller(port);
    const Reply reply = caller.post("/api/runs", R"({"pipeline":"talk"})");
    if (reply.status != 201) give_up(reply.body);
    const auto body = parse_json(reply.body);
    if (body) run_id_ = get_string(body->as_object(), "run_id");
  }

  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  /// The number of the event that this becomes.
  uint64_t say() {
    const std::string line = event_text(++number_, monotonic_ns()) + "\n";
    if (!write_all(fifo_.get(), line)) give_up("the fifo is broken");
    return number_;
  }

 private:
  UniqueFd fifo_;
  std::string run_id_;
  uint64_t number_ = 1'000'000;  // apart from those of an Appender
};

std::string stream_of(const std::string& run_id) {
  return "/api/runs/" + run_id + "/events";
}

/// The slowest one of each hundred streams, and over all rounds the middle; of one stream the
/// slowest of each hundred rounds.
nanoseconds p99(const std::vector<std::vector<nanoseconds>>& rounds) {
  std::vector<nanoseconds> each;
  for (const auto& round : rounds) each.push_back(percentile(round, 0.99));
  return percentile(std::move(each), rounds.front().size() == 1 ? 0.99 : 0.5);
}

struct Served {
  uint16_t port;
  Talker& talker;
  Appender& appender;
  size_t frame_bytes;
  const std::filesystem::path& scratch;
};

std::string goal_for(size_t count) {
  if (count == 1) return "p99 < 5 ms";
  return count == 1'000 ? "p99 < 20 ms" : "at most 1.5 times the bare loop";
}

void add_latency(std::vector<Figure>& figures, Served& served, size_t count) {
  const LoadTarget bare(LoadTarget::Kind::kBare);
  Caller publisher(bare.port());
  const std::string publish = fmt::format("/publish?count=1&bytes={}", served.frame_bytes);
  std::vector<std::vector<nanoseconds>> theirs, agents, appends;
  const int rounds = count == 1 ? 300 : 20;
  {
    Subscribers subscribers(bare.port(), count, false);
    for (int round = 1; round <= rounds; ++round) {
      std::thread publishing([&] { publisher.get(publish); });
      theirs.push_back(subscribers.receive(static_cast<uint64_t>(round)));
      publishing.join();
    }
  }
  {
    Subscribers subscribers(served.port, count, false, stream_of(served.talker.run_id()));
    for (int round = 0; round < rounds; ++round)
      agents.push_back(subscribers.receive(served.talker.say()));
  }
  Subscribers subscribers(served.port, count, false, stream_of(served.appender.run_id()));
  for (int round = 0; round < rounds; ++round) {
    appends.push_back(subscribers.receive(served.appender.append()));
  }
  std::string beside = "bare loop of send: " + milliseconds(p99(theirs));
  if (count == 1) {
    beside += "; a bare write and fdatasync: " +
              milliseconds(percentile(bare_sync(served.scratch, rounds), 0.99));
  }
  figures.push_back(
      {fmt::format("from an agent's write to the wire of {} subscribers (p99)", count),
       milliseconds(p99(agents)), beside, goal_for(count)});
  figures.push_back(
      {fmt::format("from another process's append to the wire of {} subscribers (p99)", count),
       milliseconds(p99(appends)), beside, goal_for(count)});
}

void add_burst(std::vector<Figure>& figures, Served& served, size_t count) {
  const LoadTarget bare(LoadTarget::Kind::kBare);
  constexpr size_t kEvents = kPieces * kPiece;
  const auto rate = [&](nanoseconds time) {
    return static_cast<double>(kEvents * count) / std::chrono::duration<double>(time).count();
  };
  auto of_bare = std::make_unique<Subscribers>(bare.port(), count, false);
  std::thread publishing([&] {
    Caller(bare.port()).get(fmt::format("/publish?count={}&bytes={}", kEvents, served.frame_bytes));
  });
  auto begin = monotonic_ns();
  (void)of_bare->receive(kEvents);
  const double theirs = rate(nanoseconds(monotonic_ns() - begin));
  publishing.join();
  of_bare = nullptr;

  Subscribers subscribers(served.port, count, false, stream_of(served.appender.run_id()));
  const uint64_t last = served.appender.append() + kEvents;
  (void)subscribers.receive(last - kEvents);
  begin = monotonic_ns();
  std::thread appending([&] {
    for (size_t piece = 0; piece < kPieces; ++piece) served.appender.append(kPiece);
  });
  (void)subscribers.receive(last);
  const double ours = rate(nanoseconds(monotonic_ns() - begin));
  appending.join();
  figures.push_back({fmt::format("events delivered to {} subscribers, {} appended in pieces of {}, "
                                 "{} bytes each",
                                 count, kEvents, kPiece, served.frame_bytes),
                     fmt::format("{:.0f} a second", ours),
                     fmt::format("all in one send each: {:.0f}", theirs),
                     count == 1'000 ? "1,000,000" : ""});
}

}  // namespace

std::vector<Figure> bench_server_events(const std::filesystem::path& scratch) {
  const bool many = raise_descriptor_limit() > 10'200;
  const auto project = make_project(scratch / "events");
  const ServedProject server(project, {"--stop-agents"});
  Talker talker(project, server.port());
  Appender appender(project);
  Served served{server.port(), talker, appender, appender.frame_bytes(), scratch};
  std::vector<Figure> figures;
  add_latency(figures, served, 1);
  add_latency(figures, served, many ? 1'000 : 400);
  if (many) add_latency(figures, served, 10'000);
  add_burst(figures, served, many ? 1'000 : 400);
  return figures;
}

}  // namespace wave::bench
