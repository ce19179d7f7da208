#include "load/target.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <mutex>

#include "http/reactor.h"
#include "http/server.h"
#include "load/bare_server.h"
#include "load/events.h"
#include "process.h"

namespace wave::bench {
namespace {

/// All events so far, and the streams of each reactor.
struct Feed {
  std::mutex mutex;
  std::vector<http::Frame> events;             // guarded by mutex
  std::vector<std::vector<uint64_t>> streams;  // by reactor, each its thread's own
  std::atomic<size_t> count = 0;
};

class FeedSource final : public http::StreamSource {
 public:
  explicit FeedSource(Feed& feed) : feed_(feed), next_(feed.count) {}
  Next pull(size_t budget, std::vector<http::Frame>& frames) override {
    if (next_ == feed_.count) return Next::kWait;
    const std::scoped_lock lock(feed_.mutex);
    for (size_t size = 0; next_ < feed_.events.size() && size < budget; size += kEventBytes)
      frames.push_back(feed_.events[next_++]);
    return next_ < feed_.events.size() ? Next::kMore : Next::kWait;
  }

 private:
  Feed& feed_;
  size_t next_;
};

void publish(http::Server& server, Feed& feed, size_t count) {
  {
    const std::scoped_lock lock(feed.mutex);
    const int64_t now = monotonic_ns();
    for (size_t i = 0; i < count; ++i)
      feed.events.push_back(
          std::make_shared<const std::string>(make_event(feed.events.size() + 1, now)));
    feed.count = feed.events.size();
  }
  for (http::Reactor* reactor : server.reactors()) {
    reactor->post([&feed, reactor] {
      for (const uint64_t id : feed.streams[reactor->index()]) reactor->wake_stream(id);
    });
  }
}

void handle(http::Server& server, Feed& feed, const http::Request& request,
            http::Responder responder) {
  if (request.path == "/stream") {
    return responder.stream({}, {}, [&feed](const http::StreamHandle& handle) {
      feed.streams[handle.reactor()->index()].push_back(handle.id());
      return std::make_unique<FeedSource>(feed);
    });
  }
  if (request.path != "/publish") return responder.send({.body = R"({"status":"running"})"});
  const auto count = request.query_value("count").value_or("1");
  publish(server, feed, std::strtoul(std::string(count).c_str(), nullptr, 10));
  responder.send({.body = "ok"});
}

[[noreturn]] void serve(int port_out, http::ServerOptions options) {
  Feed feed;
  feed.streams.resize(64);
  std::atomic<http::Server*> running = nullptr;
  auto server = http::Server::start(std::move(options),
                                    [&](const http::Request& request, http::Responder responder) {
                                      handle(*running.load(), feed, request, std::move(responder));
                                    });
  if (!server) ::_exit(1);
  running = server->get();
  const uint16_t port = (*server)->address().second;
  if (::write(port_out, &port, sizeof(port)) != sizeof(port)) ::_exit(1);
  while (true) ::pause();
}

}  // namespace

LoadTarget::LoadTarget(Kind kind, const std::filesystem::path& certificate,
                       const std::filesystem::path& key) {
  int pipe[2];
  if (::pipe(pipe) != 0) std::abort();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (kind == Kind::kBare) serve_barely(pipe[1]);
    http::ServerOptions options;
    if (kind == Kind::kTls) {
      auto tls = http::TlsContext::load({.certificate = certificate, .key = key});
      if (!tls) ::_exit(1);
      options.tls = *std::move(tls);
    }
    serve(pipe[1], std::move(options));
  }
  ::close(pipe[1]);
  if (::read(pipe[0], &port_, sizeof(port_)) != sizeof(port_)) {
    fmt::print(stderr, "bench: the server to be loaded did not start\n");
    std::exit(1);
  }
  ::close(pipe[0]);
}

LoadTarget::~LoadTarget() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

int64_t LoadTarget::resident_bytes() const {
  return bench::resident_bytes(pid_);
}

double LoadTarget::cpu_seconds() const {
  return bench::cpu_seconds(pid_);
}

}  // namespace wave::bench
