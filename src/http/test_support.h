// For tests of this room: a server on a free port, and a client that sends what it is told, bad or
// good, and reads with a deadline.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "http/server.h"

namespace wave::http {

constexpr Millis kPatience{20'000};  // a test that waits so long has failed

/// Waits for a condition that other threads bring about.
inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::sleep_for(Millis(2));
  }
  return holds();
}

/// A raw connection.
class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer = 0) {
    socket_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (receive_buffer > 0) {
      ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return socket_.get(); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server may have closed already
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void send_slowly(std::string_view bytes) {
    for (const char& c : bytes) send({&c, 1});
  }
  void end_sending() { ::shutdown(socket_.get(), SHUT_WR); }
  void close() { socket_.reset(); }

  /// Reads until `text` has come; false at the end or after the patience.
  bool read_until(std::string_view text) {
    while (!received_.contains(text)) {
      if (!read_some()) return false;
    }
    return true;
  }
  /// Reads to the end of the connection; false when it does not end.
  bool read_to_end() {
    while (read_some()) {
    }
    return ended_;
  }
  /// One answer with a Content-Length, taken out of what was received.
  std::string read_answer(bool to_head = false) {
    if (!read_until("\r\n\r\n")) return received_;
    size_t size = received_.find("\r\n\r\n") + 4;
    const size_t field = received_.find("Content-Length: ");
    if (!to_head && field < size) size += std::stoul(received_.substr(field + 16));
    while (received_.size() < size && read_some()) {
    }
    std::string answer = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }

  /// What has come and was not taken.
  std::string& received() { return received_; }
  [[nodiscard]] bool ended() const { return ended_; }

  bool read_some() {
    pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(kPatience.count())) <= 0) return false;
    char buffer[65536];
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
    if (size <= 0) {
      ended_ = true;
      reset_ = size < 0;
      return false;
    }
    received_.append(buffer, static_cast<size_t>(size));
    return true;
  }
  /// Whether the end was a reset.
  [[nodiscard]] bool was_reset() const { return reset_; }

 private:
  UniqueFd socket_;
  bool connected_ = false, ended_ = false, reset_ = false;
  std::string received_;
};

/// "200" of "HTTP/1.1 200 OK ...".
inline std::string status_of(std::string_view answer) {
  return std::string(answer.substr(0, 13).substr(std::min<size_t>(9, answer.size())).substr(0, 3));
}

/// What follows the head.
inline std::string body_of(std::string_view answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? "" : std::string(answer.substr(end + 4));
}

}  // namespace wave::http
