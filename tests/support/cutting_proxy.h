// A TCP proxy between a client and a server that does what bad networks do: it hands on slices of a
// few bytes, stalls, and cuts connections anywhere.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace wave::test {

class CuttingProxy {
 public:
  /// To a server on the loopback. Each connection gets between 1 and `most` bytes of the server.
  CuttingProxy(uint16_t server, unsigned seed, size_t most)
      : server_(server), most_(most), random_(seed) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    (void)::listen(listener_, 64);
    socklen_t size = sizeof address;
    (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~CuttingProxy() {
    ends_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : connections_) thread.join();
    ::close(listener_);
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] int cuts() const { return cuts_; }
  /// Another server, for the connections to come.
  void redirect(uint16_t server) { server_ = server; }

 private:
  static sockaddr_in loopback(uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  void accept_all() {
    while (!ends_) {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      const unsigned seed = random_();
      connections_.emplace_back([this, client, seed] { serve(client, seed); });
    }
  }
  void serve(int client, unsigned seed) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      hand_on(client, server, seed);
    }
    ::close(server);
    ::close(client);
  }
  void hand_on(int client, int server, unsigned seed) {
    std::mt19937 random(seed);
    size_t left = 1 + random() % most_;
    while (!ends_ && left > 0) {
      pollfd sockets[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(sockets, 2, 50) <= 0) continue;
      char bytes[4096];
      if (sockets[0].revents != 0) {
        const ssize_t got = ::recv(client, bytes, sizeof bytes, 0);
        if (got <= 0) return;
        if (::send(server, bytes, static_cast<size_t>(got), MSG_NOSIGNAL) != got) return;
      }
      if (sockets[1].revents == 0) continue;
      const size_t slice = std::min<size_t>({left, 1 + random() % 700, sizeof bytes});
      const ssize_t got = ::recv(server, bytes, slice, 0);
      if (got <= 0) return;
      if (::send(client, bytes, static_cast<size_t>(got), MSG_NOSIGNAL) != got) return;
      left -= static_cast<size_t>(got);
      if (random() % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // a stall
    }
    if (left == 0) ++cuts_;
  }

  std::atomic<uint16_t> server_;
  const size_t most_;
  std::mt19937 random_;  // of the acceptor
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> ends_ = false;
  std::atomic<int> cuts_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // of the acceptor, until it has ended
};

}  // namespace wave::test
