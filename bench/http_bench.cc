// The HTTP core by itself: requests, streams that wait, and events on their way to many.
#include <fmt/core.h>

#include <thread>

#include "load/clients.h"
#include "load/target.h"
#include "load/wire.h"
#include "measure.h"

namespace wave::bench {
namespace {

using Kind = LoadTarget::Kind;
using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds kLoadTime{2'000};
constexpr int kRounds = 20;
constexpr size_t kBurst = 200;

double seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string requests_text(const LoadTarget& target) {
  const double cpu = target.cpu_seconds();
  const RequestLoad load = load_requests(target.port(), request_for("/"), 64, kLoadTime);
  return fmt::format("{:.0f} a second, p99 {}, {:.1f} us of CPU each",
                     static_cast<double>(load.requests) / seconds(load.wall),
                     milliseconds(percentile(load.latencies, 0.99)),
                     (target.cpu_seconds() - cpu) * 1e6 / static_cast<double>(load.requests));
}

Figure requests_figure() {
  const LoadTarget bare(Kind::kBare), plain(Kind::kPlain);
  return {"HTTP requests at 64 kept connections, each handled on a worker", requests_text(plain),
          "one thread that answers without looking: " + requests_text(bare), ""};
}

Figure memory_figure(const LoadTarget& target, size_t count, bool tls) {
  {
    const Subscribers warm(target.port(), 100, tls);
  }
  // Handshakes need more than what stays; let what they needed be used before it is counted.
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const int64_t before = target.resident_bytes();
  const Subscribers subscribers(target.port(), count, tls);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const auto each =
      static_cast<double>(target.resident_bytes() - before) / static_cast<double>(count) / 1024;
  return {
      fmt::format("resident memory of an idle {} stream, {} of them", tls ? "TLS" : "plain", count),
      fmt::format("{:.2f} KiB", each),
      fmt::format("{:.1f} MiB in all", static_cast<double>(target.resident_bytes()) / (1 << 20)),
      tls ? "< 20 KB" : "< 2 KB"};
}

struct Delivery {
  nanoseconds p99{};
  double events_a_second = 0;
};

Delivery deliver(const LoadTarget& target, size_t count) {
  Subscribers subscribers(target.port(), count, false);
  std::vector<nanoseconds> slowest;
  for (uint64_t round = 1; round <= kRounds; ++round) {
    std::thread publisher([&] { Caller(target.port()).get("/publish?count=1"); });
    slowest.push_back(percentile(subscribers.receive(round), 0.99));
    publisher.join();
  }
  std::thread publisher(
      [&] { Caller(target.port()).get(fmt::format("/publish?count={}", kBurst)); });
  const nanoseconds burst = percentile(subscribers.receive(kRounds + kBurst), 1.0);
  publisher.join();
  return {.p99 = percentile(slowest, 0.5),
          .events_a_second = static_cast<double>(kBurst * count) / seconds(burst)};
}

void add_delivery(std::vector<Figure>& figures, size_t count) {
  const LoadTarget bare(Kind::kBare), plain(Kind::kPlain);
  const Delivery theirs = deliver(bare, count), ours = deliver(plain, count);
  figures.push_back({fmt::format("one event to {} streams (p99 of them)", count),
                     milliseconds(ours.p99),
                     fmt::format("bare loop of send: {}", milliseconds(theirs.p99)),
                     count > 1'000 ? "at most 1.5 times as long" : "< 20 ms"});
  figures.push_back(
      {fmt::format("a burst of {} events to {} streams, {} bytes each", kBurst, count, 200),
       fmt::format("{:.0f} events a second", ours.events_a_second),
       fmt::format("all in one send each: {:.0f}", theirs.events_a_second), "1,000,000"});
}

}  // namespace

std::vector<Figure> bench_http(const std::filesystem::path& scratch) {
  const bool many = raise_descriptor_limit() > 10'200;
  std::vector<Figure> figures;
  figures.push_back(requests_figure());
  figures.push_back(
      memory_figure(LoadTarget(Kind::kPlain), many ? size_t{10'000} : size_t{500}, false));
  const auto certificate = scratch / "load.pem", key = scratch / "load.key";
  run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
       "-subj", "/CN=localhost", "-keyout", key.string(), "-out", certificate.string()},
      scratch, {});
  if (std::filesystem::exists(certificate)) {
    figures.push_back(memory_figure(LoadTarget(Kind::kTls, certificate, key),
                                    many ? size_t{2'000} : size_t{500}, true));
  }
  add_delivery(figures, many ? 1'000 : 400);
  if (many) add_delivery(figures, 10'000);
  return figures;
}

}  // namespace wave::bench
