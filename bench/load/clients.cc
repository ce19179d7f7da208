#include "load/clients.h"

#include <fmt/core.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdlib>

#include "load/events.h"
#include "load/wire.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr size_t kStreamsOfAnAddress = 900;
constexpr int kAddresses = 250;

struct Asker {
  UniqueFd socket;
  std::string answer;
  steady_clock::time_point asked;
};

}  // namespace

size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

RequestLoad load_requests(uint16_t port, const std::string& request, int connections,
                          std::chrono::milliseconds duration) {
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<Asker> askers(static_cast<size_t>(connections));
  int client = 0;
  for (Asker& asker : askers) {
    asker.socket = connect_to(port, 1 + client++ % kAddresses);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = &asker}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, asker.socket.get(), &event);
  }
  RequestLoad load;
  const auto begin = steady_clock::now(), end = begin + duration;
  for (Asker& asker : askers) {
    asker.asked = steady_clock::now();
    send_request(asker.socket.get(), request);
  }
  char buffer[4096];
  epoll_event events[64];
  while (steady_clock::now() < end) {
    const int ready = ::epoll_wait(epoll.get(), events, 64, 100);
    for (int i = 0; i < ready; ++i) {
      Asker& asker = *static_cast<Asker*>(events[i].data.ptr);
      const ssize_t size = ::recv(asker.socket.get(), buffer, sizeof(buffer), 0);
      if (size <= 0) give_up("a connection was closed under load");
      asker.answer.append(buffer, static_cast<size_t>(size));
      const size_t whole = answer_size(asker.answer);
      if (whole == 0 || asker.answer.size() < whole) continue;
      if (!asker.answer.starts_with("HTTP/1.1 2")) give_up(asker.answer);
      asker.answer.clear();
      const auto now = steady_clock::now();
      load.latencies.push_back(now - asker.asked);
      ++load.requests;
      asker.asked = now;
      send_request(asker.socket.get(), request);
    }
  }
  load.wall = steady_clock::now() - begin;
  return load;
}

Subscribers::Subscribers(uint16_t port, size_t count, bool tls, const std::string& target)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), subscribers_(count) {
  if (tls) tls_ = SSL_CTX_new(TLS_client_method());
  const std::string request = request_for(target);
  for (size_t i = 0; i < count; ++i)
    subscribe(subscribers_[i], port, 1 + static_cast<int>(i / kStreamsOfAnAddress), request);
  for (Subscriber& subscriber : subscribers_) {
    std::string head;
    char buffer[4096];
    while (!head.contains("\r\n\r\n")) {
      const ssize_t size = tls ? SSL_read(subscriber.ssl, buffer, sizeof(buffer))
                               : ::recv(subscriber.socket.get(), buffer, sizeof(buffer), 0);
      if (size <= 0) give_up("a stream did not begin");
      head.append(buffer, static_cast<size_t>(size));
    }
    if (!head.starts_with("HTTP/1.1 200") || head.contains("event: busy")) give_up(head);
  }
}

void Subscribers::subscribe(Subscriber& subscriber, uint16_t port, int client,
                            const std::string& request) {
  subscriber.socket = connect_to(port, client);
  if (tls_ != nullptr) {
    subscriber.ssl = SSL_new(tls_);
    SSL_set_fd(subscriber.ssl, subscriber.socket.get());
    if (SSL_connect(subscriber.ssl) != 1 ||
        SSL_write(subscriber.ssl, request.data(), static_cast<int>(request.size())) <= 0)
      give_up("a TLS handshake failed");
  } else {
    send_request(subscriber.socket.get(), request);
  }
  epoll_event event{.events = EPOLLIN, .data = {.ptr = &subscriber}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, subscriber.socket.get(), &event);
}

Subscribers::~Subscribers() {
  for (const Subscriber& subscriber : subscribers_) SSL_free(subscriber.ssl);
  SSL_CTX_free(tls_);
}

std::vector<nanoseconds> Subscribers::receive(uint64_t number) {
  const std::string mark = event_mark(number);
  constexpr size_t kTail = 40;  // longer than a mark with its time
  for (Subscriber& subscriber : subscribers_) {
    subscriber.done = false;
    subscriber.tail.clear();
  }
  std::vector<nanoseconds> took;
  std::string buffer(256 << 10, '\0');
  epoll_event ready[256];
  while (took.size() < subscribers_.size()) {
    const int count = ::epoll_wait(epoll_.get(), ready, 256, 10'000);
    if (count <= 0) give_up(fmt::format("event {} did not arrive", number));
    for (int i = 0; i < count; ++i) {
      Subscriber& subscriber = *static_cast<Subscriber*>(ready[i].data.ptr);
      const size_t kept = subscriber.tail.size();
      buffer.replace(0, kept, subscriber.tail);
      const ssize_t size =
          ::recv(subscriber.socket.get(), buffer.data() + kept, buffer.size() - kept, 0);
      if (size <= 0) give_up("a stream ended under load");
      const int64_t now = monotonic_ns();
      const std::string_view bytes(buffer.data(), kept + static_cast<size_t>(size));
      const size_t at = subscriber.done ? bytes.npos : bytes.find(mark);
      if (at != bytes.npos && bytes.find(';', at) != bytes.npos) {
        subscriber.done = true;
        took.emplace_back(now - std::strtoll(bytes.data() + at + mark.size(), nullptr, 10));
      }
      subscriber.tail = bytes.substr(bytes.size() - std::min(bytes.size(), kTail));
    }
  }
  return took;
}

}  // namespace wave::bench
