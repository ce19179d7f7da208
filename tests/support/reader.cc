#include "support/reader.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>

namespace wave::test {
namespace {

constexpr int kLittleRoom = 4096;  // what the kernel takes for a client that does not read
constexpr int kPatienceMs = 30'000;

}  // namespace

Reader::Reader(uint16_t port, const std::string& target)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  (void)::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &kLittleRoom, sizeof kLittleRoom);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string asked = fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target);
  EXPECT_EQ(::send(socket_, asked.data(), asked.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(asked.size()));
}

Reader::~Reader() {
  if (socket_ >= 0) ::close(socket_);
}

size_t Reader::read(size_t most) {
  return read_text(most).size();
}

std::string Reader::read_text(size_t most) {
  pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
  if (::poll(&waiting, 1, kPatienceMs) <= 0) return {};
  std::string text(most, '\0');
  const ssize_t got = ::recv(socket_, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return text;
}

bool Reader::is_cut() const {
  pollfd waiting{.fd = socket_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&waiting, 1, 0) > 0;
}

size_t resident_bytes(pid_t pid) {
  size_t pages = 0, resident = 0;
  std::FILE* file = std::fopen(fmt::format("/proc/{}/statm", pid).c_str(), "r");
  if (file == nullptr) return 0;
  const int got = std::fscanf(file, "%zu %zu", &pages, &resident);
  (void)std::fclose(file);
  return got == 2 ? resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace wave::test
