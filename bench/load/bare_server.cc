#include "load/bare_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "load/events.h"

namespace wave::bench {
namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"status\":\"running\"}";
constexpr std::string_view kHead = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

void send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

class BareServer {
 public:
  explicit BareServer(int listener) : epoll_(::epoll_create1(0)), listener_(listener) {
    watch(listener);
  }

  void turn() {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.fd == listener_) {
        accept_one();
      } else {
        answer(events[i].data.fd);
      }
    }
  }

 private:
  void watch(int fd) const {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  void accept_one() {
    const int fd = ::accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    watch(fd);
  }
  void answer(int fd) {
    char buffer[4096];
    const ssize_t size = ::recv(fd, buffer, sizeof(buffer), 0);
    if (size <= 0) {
      std::erase(streams_, fd);
      ::close(fd);
      return;
    }
    const std::string_view request(buffer, static_cast<size_t>(size));
    if (request.starts_with("GET /stream")) {
      streams_.push_back(fd);
      return send_all(fd, kHead);
    }
    constexpr std::string_view kPublish = "GET /publish?count=";
    if (request.starts_with(kPublish)) {
      const size_t bytes = request.find("&bytes=");
      publish(std::atoi(buffer + kPublish.size()),
              bytes == request.npos ? kEventBytes : std::strtoul(buffer + bytes + 7, nullptr, 10));
    }
    send_all(fd, kAnswer);
  }
  void publish(int count, size_t bytes) {
    std::string events;
    const int64_t now = monotonic_ns();
    for (int i = 0; i < count; ++i) events += make_event(++number_, now, bytes);
    for (const int stream : streams_) send_all(stream, events);
  }

  int epoll_, listener_;
  std::vector<int> streams_;
  uint64_t number_ = 0;
};

}  // namespace

void serve_barely(int port_out) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener, 4096) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    ::_exit(1);
  }
  const uint16_t port = ntohs(address.sin_port);
  if (::write(port_out, &port, sizeof(port)) != sizeof(port)) ::_exit(1);
  BareServer server(listener);
  while (true) server.turn();
}

}  // namespace wave::bench
