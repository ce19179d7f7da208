#include "http/server.h"

#include <fmt/core.h>
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>

#include "http/shard.h"

namespace wave::http {
namespace {

constexpr int kBacklog = 4096;
constexpr int kMostReactors = 4;

struct Listener {
  UniqueFd socket;
  std::string host;
  uint16_t port = 0;
};

Result<std::pair<std::string, uint16_t>> bound_to(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail(errno_error(errno, "reading the address that is listened on"));
  }
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if (::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof host, service,
                    sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return fail(Code::kIo, "the address that is listened on cannot be read");
  }
  return std::pair(std::string(host), static_cast<uint16_t>(std::stoi(service)));
}

Result<Listener> listen_on(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int resolved = ::getaddrinfo(host.empty() ? nullptr : host.c_str(),
                                     std::to_string(port).c_str(), &hints, &found);
  if (resolved != 0) {
    return fail(Code::kUsage,
                fmt::format("cannot listen on {}: {}", host, ::gai_strerror(resolved)),
                "give an address of this machine, such as 127.0.0.1 or 0.0.0.0");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int error = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    Listener listener;
    listener.socket.reset(
        ::socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    (void)::setsockopt(listener.socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener.socket.valid() &&
        ::bind(listener.socket.get(), at->ai_addr, at->ai_addrlen) == 0 &&
        ::listen(listener.socket.get(), kBacklog) == 0) {
      WAVE_TRY(const auto bound, bound_to(listener.socket.get()));
      std::tie(listener.host, listener.port) = bound;
      return listener;
    }
    error = errno;
  }
  Error failed = errno_error(error, "listening on", fmt::format("{}:{}", host, port));
  failed.code = Code::kConflict;
  failed.hint = error == EADDRINUSE ? "another program listens there: choose another port"
                                    : "give an address and port that may be listened on";
  return fail(std::move(failed));
}

size_t reactor_count(int wanted) {
  if (wanted > 0) return static_cast<size_t>(wanted);
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  return static_cast<size_t>(std::clamp(cores, 1, kMostReactors));
}

// Run locks, spools, pidfds, readers of the store, git, files of answers.
constexpr size_t kLeastReserve = 64;
constexpr size_t kMostReserve = 4096;

}  // namespace

Limits fit_to_descriptors(Limits limits, size_t descriptors) {
  const size_t reserve = std::clamp(descriptors / 2, kLeastReserve, kMostReserve);
  const size_t connections = std::max<size_t>(descriptors - std::min(reserve, descriptors), 2);
  limits.max_connections = std::min(limits.max_connections, connections);
  limits.max_connections_per_address =
      std::min(limits.max_connections_per_address, std::max<size_t>(limits.max_connections / 2, 1));
  return limits;
}

struct Server::Impl {
  Listener listener;
  std::shared_ptr<SharedState> state;
  std::vector<std::unique_ptr<Shard>> shards;
  std::vector<Reactor*> reactors;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(2)
  auto impl = std::make_unique<Impl>();
  WAVE_TRY(impl->listener, listen_on(options.host, options.port));
  impl->state = std::make_shared<SharedState>();
  SharedState& state = *impl->state;
  WAVE_CHECK(state.start(std::move(options)));
  state.handler = std::move(handler);
  const size_t count = reactor_count(state.options.reactors);
  for (size_t index = 0; index < count; ++index) {
    WAVE_TRY(auto reactor, EpollReactor::create(index));
    impl->reactors.push_back(reactor.get());
    impl->shards.push_back(
        std::make_unique<Shard>(std::move(reactor), impl->state, impl->listener.socket.get()));
  }
  for (const auto& shard : impl->shards) shard->know_others(impl->shards);
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  for (const auto& shard : server->impl_->shards) WAVE_CHECK(shard->start());
  return server;
}

Server::~Server() {
  impl_->state->closing = true;
  impl_->state->stop_workers();
  for (const auto& shard : impl_->shards) shard->stop();
}

std::pair<std::string, uint16_t> Server::address() const {
  return {impl_->listener.host, impl_->listener.port};
}

ServerStats Server::stats() const {
  const SharedState& state = *impl_->state;
  return {.connections = state.connections,
          .streams = state.streams,
          .accepted = state.accepted,
          .refused = state.refused,
          .requests = state.requests,
          .malformed = state.malformed,
          .bytes_out = state.bytes_out,
          .windows = state.windows.open(),
          .spooled = state.spool->held()};
}

const std::vector<Reactor*>& Server::reactors() const {
  return impl_->reactors;
}

void Server::replace_tls(std::shared_ptr<TlsContext> tls) {
  const std::scoped_lock lock(impl_->state->mutex);
  impl_->state->tls = std::move(tls);
}

void Server::stop_accepting() {
  impl_->state->closing = true;
  for (const auto& shard : impl_->shards) shard->stop_accepting();
  // The kernel would go on to complete handshakes for a listener that nobody accepts from.
  (void)::shutdown(impl_->listener.socket.get(), SHUT_RD);
}

bool Server::drain(Millis patience) {
  std::unique_lock lock(impl_->state->mutex);
  return impl_->state->all_closed.wait_for(lock, patience,
                                           [&] { return impl_->state->connections == 0; });
}

}  // namespace wave::http
