// Whatever a client sends to the real listener: it answers with HTTP or ends the connection, and it
// goes on to serve others.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "base/file.h"
#include "fuzz.h"
#include "http/server.h"

namespace {

using namespace wave;

/// One piece, then the end.
class Short final : public http::StreamSource {
 public:
  Next pull(size_t, std::vector<http::Frame>& frames) override {
    frames.push_back(std::make_shared<const std::string>("piece"));
    return Next::kEnded;
  }
};

uint16_t listener_port() {
  static const std::unique_ptr<http::Server> server = [] {
    auto started = http::Server::start(
        {.reactors = 1, .workers = 2, .body_limit = [](const auto&) { return size_t{65536}; }},
        [](const http::Request& request, http::Responder responder) {
          if (request.query_value("stream")) {
            return responder.stream({}, {}, [](const auto&) { return std::make_unique<Short>(); });
          }
          responder.send({.body = request.path + request.body});
        });
    fuzz::require(started.has_value());
    return *std::move(started);
  }();
  return server->address().second;
}

std::string exchange(std::string_view bytes) {
  const UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(listener_port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fuzz::require(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  ::shutdown(socket.get(), SHUT_WR);
  std::string answer;
  char buffer[4096];
  while (true) {
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    fuzz::require(::poll(&waiting, 1, 10'000) == 1);  // it hangs
    const ssize_t size = ::recv(socket.get(), buffer, sizeof(buffer), 0);
    if (size <= 0) return answer;
    answer.append(buffer, static_cast<size_t>(size));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string answer = exchange(fuzz::text(data, size));
  fuzz::require(answer.empty() || answer.starts_with("HTTP/1.1 "));
  static size_t count = 0;
  if (++count % 64 == 0) {
    const std::string alive = exchange("GET /alive HTTP/1.1\r\nHost: h\r\n\r\n");
    fuzz::require(alive.starts_with("HTTP/1.1 200 ") && alive.ends_with("/alive"));
  }
  return 0;
}
