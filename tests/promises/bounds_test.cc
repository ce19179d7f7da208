// A8, A9: what comes from the network is bounded and hostile. Raw sockets, the real server.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/file.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using testing::HasSubstr;
using testing::Not;

UniqueFd connect_to(uint16_t port) {
  UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
            0);
  return socket;
}

constexpr int kPatienceMs =
    static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(kPatience).count());

/// Sends bytes as they are; all that comes back until the server ends the connection. "(open)"
/// behind it when it does not.
std::string send_raw(uint16_t port, std::string_view bytes) {
  const UniqueFd socket = connect_to(port);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  std::string answer;
  char buffer[4096];
  while (true) {
    pollfd waiting{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, kPatienceMs) <= 0) return answer + "(open)";
    const ssize_t size = ::recv(socket.get(), buffer, sizeof(buffer), 0);
    if (size <= 0) return answer;
    answer.append(buffer, static_cast<size_t>(size));
  }
}

/// The same for a request whose connection is not kept.
std::string get(uint16_t port, const std::string& target) {
  return send_raw(port, "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                            "\r\nConnection: close\r\n\r\n");
}

TEST(Promises, A8_RequestsAreBounded) {
  const Project project;
  const Server server(project);
  const std::string host = "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n";
  const struct {
    std::string request, status;
  } cases[] = {
      {"POST /api/runs HTTP/1.1\r\n" + host + "Content-Length: 1000000000\r\n\r\n", "413"},
      {"POST /api/runs HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3b9aca00\r\nx",
       "413"},
      {"GET /api/runs HTTP/1.1\r\n" + host + "X: " + std::string(100'000, 'x'), "431"},
      {"GET /api/runs?q=" + std::string(20'000, 'x') + " HTTP/1.1\r\n" + host + "\r\n", "414"},
  };
  for (const auto& one : cases) {
    const std::string answer = send_raw(server.port(), one.request);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + one.status)) << answer;
    EXPECT_THAT(answer, HasSubstr("application/problem+json"));
    EXPECT_THAT(answer, Not(HasSubstr("(open)")));
  }
  EXPECT_EQ(server.get("/api/health").status, 200);
}

TEST(Promises, A8_NoRequestIsSmuggledBehindAnother) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  const Server server(project);
  const std::string host = "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n";
  const std::string body = R"({"pipeline":"quick"})";
  const std::string smuggled =
      "POST /api/runs HTTP/1.1\r\n" + host +
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  for (const std::string framing : {
           "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "Transfer-Encoding: chunked\r\n\r\n0\n\n",
           "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
           "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
           "Content-Length: 1\r\nContent-Length: 0\r\n\r\n",
           "X: a\r\n folded\r\n\r\n",
           "X: a\nContent-Length: 0\r\n\r\n",
       }) {
    const std::string answer = send_raw(
        server.port(), "POST /api/pipelines/validate HTTP/1.1\r\n" + host + framing + smuggled);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 501"))
        << framing << answer;
    EXPECT_THAT(answer, Not(HasSubstr("(open)"))) << framing;
    EXPECT_THAT(answer.substr(8), Not(HasSubstr("HTTP/1.1"))) << framing;
  }
  EXPECT_TRUE(server.get("/api/runs").object().at("runs").as_array().empty());
}

TEST(Promises, A8_NothingThatClientsSendEndsTheServer) {
  const Project project;
  const Server server(project);
  uint64_t state = 88172645463325252U;
  const auto random = [&] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  const std::string_view parts[] = {"GET ",
                                    "POST ",
                                    "/api/runs",
                                    "/",
                                    "?",
                                    "%",
                                    "..",
                                    "\r\n",
                                    "\n",
                                    " HTTP/1.1",
                                    "Host: h",
                                    "Content-Length: ",
                                    "99",
                                    "Transfer-Encoding: chunked",
                                    "\r\n\r\n",
                                    ":",
                                    " ",
                                    "0",
                                    "ffffffffffffffff",
                                    std::string_view("\0", 1),
                                    "\xff",
                                    "{}"};
  std::vector<UniqueFd> left_open;
  for (int i = 0; i < 300; ++i) {
    std::string garbage = i % 3 == 0 ? "GET / HTTP/1.1\r\nHost: h\r\n" : "";
    for (uint64_t count = random() % 12; count > 0; --count)
      garbage += parts[random() % std::size(parts)];
    left_open.push_back(connect_to(server.port()));
    (void)::send(left_open.back().get(), garbage.data(), garbage.size(), MSG_NOSIGNAL);
    if (i % 2 == 0) left_open.pop_back();  // goes away in the middle of it
  }
  EXPECT_EQ(server.get("/api/health").status, 200);
  EXPECT_EQ(server.get("/api/runs").status, 200);
}

TEST(Promises, A9_PathsOfRequestsDoNotLeaveTheProject) {
  const Project project;
  project.write("secret.txt", "outside of what is served");
  project.pipeline(
      "quick",
      "  - id: a\n    type: command\n    script: \"mkdir -p out; echo hi > out/x.txt\"\n"
      "    output_artifacts: [{name: x, path: out/x.txt}]\n");
  const Server server(project);
  const std::string run = server.submit({{"pipeline", "quick"}});
  server.wait_for_status(run, "completed");
  const std::string artifacts = "/api/runs/" + run + "/artifacts/a/";
  EXPECT_THAT(get(server.port(), artifacts + "x"), HasSubstr("hi"));
  for (const std::string up : {"../", "%2e%2e/", "..%2f", "%2e%2e%2f", "..%5c", "./"}) {
    std::string climb;
    for (int i = 0; i < 8; ++i) {
      climb += up;
      for (const std::string& from :
           {std::string("/"), std::string("/assets/"), artifacts, "/api/runs/" + run + "/diff/",
            std::string("/api/pipelines/"), std::string("/api/personas/")}) {
        for (const char* to : {"etc/passwd", "secret.txt", "wave.yaml"}) {
          const std::string answer = get(server.port(), from + climb + to);
          EXPECT_THAT(answer, Not(HasSubstr("root:x:"))) << from + climb + to;
          EXPECT_THAT(answer, Not(HasSubstr("outside of what"))) << from + climb + to;
          EXPECT_THAT(answer, Not(HasSubstr("adapters:"))) << from + climb + to;
        }
      }
    }
  }
}

}  // namespace
}  // namespace wave::test
