#include "load/wire.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cstdlib>

namespace wave::bench {
namespace {

sockaddr_in loopback(uint32_t last, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl((127U << 24) | last);
  return address;
}

}  // namespace

void give_up(std::string_view why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);
}

UniqueFd connect_to(uint16_t port, int client) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const sockaddr_in from = loopback(static_cast<uint32_t>(client), 0), to = loopback(1, port);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from), sizeof(from)) != 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0)
    give_up("no connection to the server");
  return fd;
}

std::string request_for(const std::string& target) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
}

std::string post_request(const std::string& target, std::string_view json) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      target, json.size(), json);
}

void send_request(int fd, const std::string& request) {
  if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    give_up("a request could not be sent");
}

size_t answer_size(std::string_view bytes) {
  const size_t head = bytes.find("\r\n\r\n");
  const size_t field = bytes.find("Content-Length: ");
  if (head == std::string_view::npos || field == std::string_view::npos) return 0;
  return head + 4 + std::strtoul(bytes.data() + field + 16, nullptr, 10);
}

Reply Caller::exchange(const std::string& request) {
  send_request(socket_.get(), request);
  std::string answer;
  char buffer[65536];
  while (answer_size(answer) == 0 || answer.size() < answer_size(answer)) {
    const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), 0);
    if (size <= 0) give_up("an answer was cut off");
    answer.append(buffer, static_cast<size_t>(size));
  }
  return {.status = std::atoi(answer.c_str() + sizeof("HTTP/1.1")),
          .body = answer.substr(answer.find("\r\n\r\n") + 4)};
}

}  // namespace wave::bench
