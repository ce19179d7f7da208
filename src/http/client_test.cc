#include "http/client.h"

#include <gmock/gmock.h>
#include <sys/eventfd.h>

#include <future>

#include "http/server.h"
#include "http/test_certificates.h"
#include "http/test_support.h"
#include "http/url.h"

namespace wave::http {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Takes one connection, reads a head, and sends what it is told.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::string answer, bool end = true)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.get(), 4);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer), end] { serve(answer, end); });
  }
  ~ScriptedServer() {
    over_.set_value();
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] ClientOptions options(const std::string& path = "/") const {
    return {.url = "http://127.0.0.1:" + std::to_string(port_) + path, .timeout = kPatience};
  }
  /// What was received, once the server is done.
  std::string request() { return received_.get_future().get(); }

 private:
  void serve(const std::string& answer, bool end) {
    UniqueFd socket(::accept(listener_.get(), nullptr, nullptr));
    std::string received;
    char buffer[4096];
    while (socket.valid() && !received.contains("\r\n\r\n")) {
      const ssize_t size = ::recv(socket.get(), buffer, sizeof(buffer), 0);
      if (size <= 0) break;
      received.append(buffer, static_cast<size_t>(size));
    }
    received_.set_value(received);
    // In two pieces, cut anywhere: parsers have to put up with it.
    const size_t half = answer.size() / 2;
    (void)::send(socket.get(), answer.data(), half, MSG_NOSIGNAL);
    (void)::send(socket.get(), answer.data() + half, answer.size() - half, MSG_NOSIGNAL);
    if (!end) over_.get_future().wait();
  }

  UniqueFd listener_;
  uint16_t port_ = 0;
  std::promise<std::string> received_;
  std::promise<void> over_;
  std::thread thread_;
};

std::string body(const Result<Response>& response) {
  return response ? std::get<std::string>(response->body)
                  : "error: " + full_message(response.error());
}

TEST(HttpClient, SendsWhatItIsTold) {
  ScriptedServer server("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok");
  ClientOptions options = server.options("/a?b=c");
  options.method = "POST";
  options.headers = {{"Authorization", "Bearer t"}};
  options.body = "{}";
  const auto response = fetch(options);
  ASSERT_TRUE(response) << full_message(response.error());
  EXPECT_EQ(response->status, 201);
  EXPECT_EQ(response->headers.find("x-a"), "b");
  EXPECT_EQ(body(response), "ok");
  const std::string request = server.request();
  EXPECT_TRUE(request.starts_with("POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:")) << request;
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: Bearer t\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nContent-Length: 2\r\n"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{}"));
}

TEST(HttpClient, ReadsEveryFraming) {
  const auto get = [](const std::string& answer) {
    const ScriptedServer server(answer);
    return body(fetch(server.options()));
  };
  EXPECT_EQ(
      get("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"),
      "abcd");
  EXPECT_EQ(get("HTTP/1.1 200 OK\r\n\r\nto the end"), "to the end");
  EXPECT_EQ(get("HTTP/1.1 204 No Content\r\n\r\n"), "");
  EXPECT_EQ(get("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"),
            "yes");
}

TEST(HttpClient, HeadHasNoBody) {
  const ScriptedServer server("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", false);
  ClientOptions options = server.options();
  options.method = "HEAD";
  EXPECT_EQ(body(fetch(options)), "");
}

TEST(HttpClient, SaysWhatIsNoAnswer) {
  const auto error = [](const std::string& answer) {
    const ScriptedServer server(answer);
    const auto response = fetch(server.options());
    return response ? "answer" : std::string(code_name(response.error().code));
  };
  const std::string unreachable(code_name(Code::kServerUnreachable));
  EXPECT_EQ(error(""), unreachable);
  EXPECT_EQ(error("SSH-2.0-OpenSSH\r\n"), unreachable);
  EXPECT_EQ(error("HTTP/1.1 200 OK\r\nContent-Len"), unreachable);
  EXPECT_EQ(error("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), unreachable);
  EXPECT_EQ(error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            unreachable);
  EXPECT_EQ(error("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x')), unreachable);
}

TEST(HttpClient, BoundsTheBody) {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890",
        "HTTP/1.1 200 OK\r\n\r\n01234567890",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"}) {
    const ScriptedServer server(answer);
    ClientOptions options = server.options();
    options.max_body = 10;
    const auto response = fetch(options);
    ASSERT_FALSE(response) << answer;
    EXPECT_EQ(response.error().code, Code::kLimit) << response.error().message;
  }
}

TEST(HttpClient, WaitsNoLongerThanItIsTold) {
  for (const std::string answer : {"", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"}) {
    const ScriptedServer server(answer, false);
    ClientOptions options = server.options();
    options.timeout = Millis(50);
    const auto response = fetch(options);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::kTimeout);
  }
}

TEST(HttpClient, CanBeCancelled) {
  const ScriptedServer server("HTTP/1.1 200 OK\r\n\r\nfirst", false);
  const UniqueFd cancel(::eventfd(0, EFD_CLOEXEC));
  ClientOptions options = server.options();
  options.cancel_fd = cancel.get();
  std::string got;
  const auto response = stream(options, [&](std::string_view piece) {
    got += piece;
    if (got == "first") ::eventfd_write(cancel.get(), 1);
    return true;
  });
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kCancelled);
  EXPECT_EQ(got, "first");
}

TEST(HttpClient, NobodyListens) {
  uint16_t port = 0;
  {
    auto server = Server::start({}, [](const Request&, Responder) {});
    ASSERT_TRUE(server);
    port = (*server)->address().second;
  }
  const auto response = fetch({.url = "http://127.0.0.1:" + std::to_string(port)});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().code, Code::kServerUnreachable);
  EXPECT_FALSE(response.error().hint.empty());
  EXPECT_EQ(fetch({.url = "http://no-such-host.invalid/"}).error().code, Code::kServerUnreachable);
}

TEST(HttpClient, FollowsStreams) {
  struct Counting final : StreamSource {
    int next = 0;
    Next pull(size_t, std::vector<Frame>& frames) override {
      if (next == 100) return Next::kEnded;
      frames.push_back(std::make_shared<const std::string>(std::to_string(next++) + "\n"));
      return Next::kMore;
    }
  };
  TestAuthority authority("Authority");
  const auto files = authority.sign("server", "DNS:localhost");
  for (const bool tls : {false, true}) {
    ServerOptions server_options{.reactors = 1};
    if (tls) {
      auto context = TlsContext::load({.certificate = files.certificate, .key = files.key});
      ASSERT_TRUE(context);
      server_options.tls = *context;
    }
    auto server = Server::start(std::move(server_options), [](const Request& request,
                                                              Responder responder) {
      if (request.path == "/no") return responder.send({.status = 404, .body = "not here"});
      responder.stream({}, {}, [](const StreamHandle&) { return std::make_unique<Counting>(); });
    });
    ASSERT_TRUE(server);
    ClientOptions options{.url = std::string(tls ? "https" : "http") +
                                 "://localhost:" + std::to_string((*server)->address().second),
                          .timeout = kPatience,
                          .ca_file = authority.file()};
    std::string got;
    const auto whole = stream(options, [&](std::string_view piece) {
      got += piece;
      return true;
    });
    ASSERT_TRUE(whole) << full_message(whole.error());
    EXPECT_EQ(whole->status, 200);
    EXPECT_EQ(std::ranges::count(got, '\n'), 100);
    int pieces = 0;
    EXPECT_TRUE(stream(options, [&](std::string_view) {
      ++pieces;
      return false;
    }));
    EXPECT_EQ(pieces, 1);
    options.url += "/no";
    const auto refused = stream(options, [](std::string_view) { return true; });
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->status, 404);
    EXPECT_EQ(body(refused), "not here");
  }
}

TEST(HttpClient, ReadsRefusalsOfBodiesThatWereNotRead) {
  auto server = Server::start({.body_limit = [](const Request&) { return size_t{10}; }},
                              [](const Request&, Responder) {});
  ASSERT_TRUE(server);
  const auto response =
      fetch({.url = "http://127.0.0.1:" + std::to_string((*server)->address().second),
             .method = "POST",
             .body = std::string(300'000, 'x'),
             .timeout = kPatience});
  ASSERT_TRUE(response) << full_message(response.error());
  EXPECT_EQ(response->status, 413);
}

TEST(HttpClient, RefusesWhatItMustNotSend) {
  ClientOptions options{.url = "http://127.0.0.1:1/"};
  options.headers = {{"X", "a\r\nY: b"}};
  EXPECT_EQ(fetch(options).error().code, Code::kUsage);
  options.headers = {{"X Y", "a"}};
  EXPECT_EQ(fetch(options).error().code, Code::kUsage);
  options.headers = {};
  options.method = "GET /x";
  EXPECT_EQ(fetch(options).error().code, Code::kUsage);
}

TEST(HttpClient, NamesFilesOfTlsThatDoNotFit) {
  auto server = Server::start({}, [](const Request&, Responder) {});
  ASSERT_TRUE(server);
  ClientOptions options{.url = "https://127.0.0.1:" + std::to_string((*server)->address().second)};
  options.ca_file = "/nonexistent/ca.pem";
  EXPECT_THAT(body(fetch(options)), HasSubstr("/nonexistent/ca.pem"));
  options.ca_file.clear();
  options.certificate = "/nonexistent/c.pem";
  EXPECT_EQ(fetch(options).error().code, Code::kUsage);
  options.key = "/nonexistent/k.pem";
  EXPECT_THAT(body(fetch(options)), HasSubstr("/nonexistent/c.pem"));
}

TEST(HttpUrl, Parses) {
  const auto url = parse_url("https://[::1]:8443/a/b?c=d");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/a/b?c=d");
  EXPECT_EQ(url->authority(), "[::1]:8443");
  EXPECT_EQ(parse_url("http://h")->target, "/");
  EXPECT_EQ(parse_url("http://h?x")->target, "/?x");
  EXPECT_EQ(parse_url("http://h:80/")->authority(), "h");
  EXPECT_EQ(parse_url("https://h")->port, 443);
}

TEST(HttpUrl, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "h", "ftp://h/", "http://", "http:///x", "http://u:p@h/", "http://h:0/",
        "http://h:99999/", "http://h:8o/", "http://a b/", "http://h/#x", "http://[::1/",
        "http://[::1]x/", "http://::1/", "http://h/\r\nX: y", "http://h\\x/", "http://a,b/"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Code::kUsage);
    // A URL may hold a secret: errors do not repeat it.
    if (text.size() > 4) EXPECT_THAT(full_message(url.error()), Not(HasSubstr(text)));
  }
}

}  // namespace
}  // namespace wave::http
