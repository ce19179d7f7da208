#include "http/shard.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "base/log.h"
#include "base/survive.h"
#include "base/system_fault.h"
#include "http/client_key.h"
#include "http/tls_impl.h"

namespace wave::http {
namespace {

constexpr size_t kScratch = 64 << 10;
constexpr uint32_t kListenerEvents = EPOLLIN | EPOLLEXCLUSIVE;
constexpr int kAcceptsInARow = 64;
constexpr int kUnsent = 256 << 10;  // bytes of one connection that the kernel takes beforehand

Peer peer_of(const sockaddr_storage& address) {
  Peer peer;
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    peer.port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    peer.port = ntohs(v6.sin6_port);
  }
  peer.address = text;
  if (peer.address.starts_with("::ffff:")) peer.address.erase(0, 7);  // an IPv4 client
  return peer;
}

}  // namespace

Shard::Shard(std::shared_ptr<EpollReactor> reactor, std::shared_ptr<SharedState> state,
             int listener)
    : reactor_(std::move(reactor)),
      state_(std::move(state)),
      listener_(listener),
      scratch_(kScratch) {}

Status Shard::start() {
  // One listener in every epoll: the kernel wakes one reactor for each connection.
  WAVE_CHECK(reactor_->add(listener_, kListenerEvents, *this));
  listening_ = true;
  reactor_->start({.pull =
                       [this](uint64_t stream) {
                         if (Connection* connection = find(stream)) connection->pull();
                         bury();
                       },
                   .tick =
                       [this](MonoTime now) {
                         listen_again();
                         if (reactor_->index() == 0) state_->tidy(now);
                         for (const Slot& slot : slots_) {
                           if (slot.connection) slot.connection->tick(now);
                         }
                         bury();
                       },
                   .ended =
                       [this] {
                         for (Slot& slot : slots_) slot.connection.reset();
                         bury();
                       }});
  return {};
}

void Shard::stop_accepting() {
  reactor_->post([this] {
    if (std::exchange(listening_, false)) reactor_->remove(listener_);
    for (const Slot& slot : slots_) {
      if (slot.connection) slot.connection->wind_down();
    }
    bury();
  });
}

Connection* Shard::find(uint64_t id) {
  const auto at = static_cast<uint32_t>(id);
  if (at >= slots_.size() || slots_[at].generation != id >> 32) return nullptr;
  return slots_[at].connection.get();
}

void Shard::retire(uint64_t id, const Peer& peer, bool was_stream) {
  const auto at = static_cast<uint32_t>(id);
  // Its own call is still on the stack, and an event of this round may name it.
  std::unique_ptr<Connection> ended = std::move(slots_[at].connection);
  ended->next_retired = std::move(retired_);
  retired_ = std::move(ended);
  ++slots_[at].generation;
  free_.push_back(at);  // there is room for all
  --load_;
  if (was_stream) --state_->streams;
  forget(peer);
}

// One by one: a chain that destroys itself would do so recursively.
void Shard::bury() {
  while (retired_) retired_ = std::move(retired_->next_retired);
}

void Shard::forget(const Peer& peer) {
  if (!peer.proxy) state_->per_address.give_back(client_key(peer.address));
  const std::scoped_lock lock(state_->mutex);
  if (--state_->connections == 0) state_->all_closed.notify_all();
}

void Shard::on_events(uint32_t /*events*/) {
  bury();
  survive("accepting connections", [this] { accept_some(); });
}

void Shard::accept_some() {
  for (int count = 0; count < kAcceptsInARow && listening_ && !paused_; ++count) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    UniqueFd socket(::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                              SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      if (errno != EAGAIN && system_fault(errno) == SystemFault::kScarce) pause_listening(errno);
      return;
    }
    Peer peer = peer_of(address);
    peer.proxy = state_->is_proxy(peer.address);
    hand_out(std::move(socket), std::move(peer));
  }
}

// The listener stays readable: watched further, it would keep the reactor busy with nothing.
// Streams and requests that are there go on meanwhile.
void Shard::pause_listening(int err) {
  reactor_->remove(listener_);
  paused_ = true;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_complaint_) return;
  next_complaint_ = now + std::chrono::seconds(10);
  log::warning("{}", errno_error(err, "no connection can be accepted").message);
}

void Shard::listen_again() {
  if (!listening_ || !paused_) return;
  if (reactor_->add(listener_, kListenerEvents, *this)) paused_ = false;
}

// The kernel wakes the same reactor again and again; long-lived streams would all be its own.
void Shard::hand_out(UniqueFd socket, Peer peer) {
  if (!admit(peer)) {
    ++state_->refused;
    return;
  }
  ++state_->accepted;
  Shard* least = this;
  for (const auto& shard : *all_) {
    if (shard->load_ < least->load_) least = shard.get();
  }
  ++least->load_;
  if (least == this) return take(std::move(socket), std::move(peer));
  const Peer counted = peer;
  const bool posted = survive("a connection", [&] {
    least->reactor_->post([least, socket = std::move(socket), peer = std::move(peer)]() mutable {
      least->take(std::move(socket), std::move(peer));
    });
  });
  if (posted) return;
  --least->load_;
  forget(counted);
}

bool Shard::admit(const Peer& peer) {
  const Limits& limits = state_->options.limits;
  const std::scoped_lock lock(state_->mutex);
  if (state_->connections >= limits.max_connections) return false;
  if (!peer.proxy &&
      !state_->per_address.take(client_key(peer.address), limits.max_connections_per_address)) {
    return false;
  }
  ++state_->connections;
  return true;
}

void Shard::take(UniqueFd socket, Peer peer) {
  const Peer counted = peer;
  const bool settled = survive("a connection", [&] { settle(std::move(socket), std::move(peer)); });
  if (settled) return;
  --load_;
  forget(counted);
}

// Throws only before the connection has its place.
void Shard::settle(UniqueFd socket, Peer peer) {
  const int on = 1;
  (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // What a client does not read stays here, not in the kernel's buffers.
  (void)::setsockopt(socket.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsent, sizeof kUnsent);
  if (free_.empty()) {
    slots_.emplace_back();
    free_.reserve(slots_.capacity());
    free_.push_back(static_cast<uint32_t>(slots_.size() - 1));
  }
  const uint32_t at = free_.back();
  const uint64_t id = (uint64_t{slots_[at].generation} << 32) | at;
  const int fd = socket.get();
  Transport transport(std::move(socket));
  if (const auto tls = state_->current_tls()) {
    peer.tls = true;
    transport.attach(tls->impl().connection());
  }
  slots_[at].connection =
      std::make_unique<Connection>(*this, id, std::move(transport), std::move(peer));
  free_.pop_back();
  Connection& connection = *slots_[at].connection;
  if (!reactor_->add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, connection)) {
    return connection.wind_down();
  }
  if (state_->closing) return connection.wind_down();
  connection.begin();
}

}  // namespace wave::http
