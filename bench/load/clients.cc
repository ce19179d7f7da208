#include "load/clients.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdlib>

#include "load/events.h"

namespace wave::bench {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);
}

UniqueFd connect_to(uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    give_up("no connection to the server");
  return fd;
}

std::string request_for(const std::string& target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
}

void send_request(int fd, const std::string& request) {
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    give_up("a request could not be sent");
}

/// The length of the answer that `bytes` begin with; 0: its head is not there yet.
size_t answer_size(std::string_view bytes) {
  const size_t head = bytes.find("\r\n\r\n");
  const size_t field = bytes.find("Content-Length: ");
  if (head == std::string_view::npos || field == std::string_view::npos) return 0;
  return head + 4 + std::strtoul(bytes.data() + field + 16, nullptr, 10);
}

void read_answer(int fd) {
  std::string answer;
  char buffer[4096];
  while (answer_size(answer) == 0 || answer.size() < answer_size(answer)) {
    const ssize_t size = ::recv(fd, buffer, sizeof(buffer), 0);
    if (size <= 0) give_up("an answer was cut off");
    answer.append(buffer, static_cast<size_t>(size));
  }
}

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

void ask(uint16_t port, const std::string& target) {
  const UniqueFd socket = connect_to(port);
  send_request(socket.get(), request_for(target));
  read_answer(socket.get());
}

RequestLoad load_requests(uint16_t port, const std::string& target, int connections,
                          std::chrono::milliseconds duration) {
  const std::string request = request_for(target);
  const UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<Asker> askers(static_cast<size_t>(connections));
  for (Asker& asker : askers) {
    asker.socket = connect_to(port);
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

Subscribers::Subscribers(uint16_t port, size_t count, bool tls)
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), subscribers_(count) {
  if (tls) tls_ = SSL_CTX_new(TLS_client_method());
  const std::string request = request_for("/stream");
  for (Subscriber& subscriber : subscribers_) {
    subscriber.socket = connect_to(port);
    if (tls) {
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
  for (Subscriber& subscriber : subscribers_) {
    std::string head;
    char buffer[4096];
    while (!head.contains("\r\n\r\n")) {
      const ssize_t size = tls ? SSL_read(subscriber.ssl, buffer, sizeof(buffer))
                               : ::recv(subscriber.socket.get(), buffer, sizeof(buffer), 0);
      if (size <= 0) give_up("a stream did not begin");
      head.append(buffer, static_cast<size_t>(size));
    }
  }
}

Subscribers::~Subscribers() {
  for (const Subscriber& subscriber : subscribers_) SSL_free(subscriber.ssl);
  SSL_CTX_free(tls_);
}

std::vector<nanoseconds> Subscribers::receive(size_t events) {
  const size_t wanted = events * kEventBytes;
  for (Subscriber& subscriber : subscribers_) subscriber.received = 0;
  std::vector<nanoseconds> took;
  char buffer[65536];
  epoll_event ready[256];
  while (took.size() < subscribers_.size()) {
    const int count = ::epoll_wait(epoll_.get(), ready, 256, 10'000);
    if (count <= 0) give_up("events did not arrive");
    for (int i = 0; i < count; ++i) {
      Subscriber& subscriber = *static_cast<Subscriber*>(ready[i].data.ptr);
      const ssize_t size = ::recv(subscriber.socket.get(), buffer, sizeof(buffer), 0);
      if (size <= 0) give_up("a stream ended under load");
      const int64_t now = monotonic_ns();
      subscriber.tail.append(buffer, static_cast<size_t>(size));
      if (subscriber.tail.size() > kEventBytes)
        subscriber.tail.erase(0, subscriber.tail.size() - kEventBytes);
      subscriber.received += static_cast<size_t>(size);
      if (subscriber.received != wanted) continue;
      const int64_t made = std::strtoll(subscriber.tail.c_str() + 6, nullptr, 10);
      took.emplace_back(now - made);
    }
  }
  return took;
}

}  // namespace wave::bench
