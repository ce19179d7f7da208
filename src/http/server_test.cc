#include "http/server.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <atomic>
#include <future>

#include "base/json.h"
#include "http/client.h"
#include "http/test_support.h"

namespace wave::http {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Answers with what came in.
void echo(Request request, Responder responder) {
  std::string text = request.method + " " + request.path + "\n";
  for (const auto& segment : request.segments) text += "segment " + segment + "\n";
  for (const auto& [name, value] : request.query) text += "query " + name + "=" + value + "\n";
  text += "host " + std::string(request.headers.find("Host").value_or("none")) + "\n";
  text += "target " + request.target + "\n";
  text += "body " + request.body;
  responder.send({.headers = {{"Content-Type", "text/plain"}}, .body = std::move(text)});
}

class HttpServer : public testing::Test {
 protected:
  void start(ServerOptions options = {}, Server::Handler handler = echo) {
    if (options.reactors == 0) options.reactors = 2;
    auto started = Server::start(std::move(options), std::move(handler));
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }
  [[nodiscard]] uint16_t port() const { return server_->address().second; }

  std::string ask(std::string_view request) {
    RawClient client(port());
    client.send(request);
    return client.read_answer();
  }
  /// Sends what is malformed: the answer, and whether the connection was ended after it.
  std::pair<std::string, bool> ask_badly(std::string_view request) {
    RawClient client(port());
    client.send(request);
    const bool ended = client.read_to_end();
    return {client.received(), ended && !client.was_reset()};
  }

  std::unique_ptr<Server> server_;
};

TEST_F(HttpServer, AnswersAndKeepsTheConnection) {
  start();
  RawClient client(port());
  for (int round = 0; round < 3; ++round) {
    client.send("GET /a/b%20c?x=1&y=a+b%26 HTTP/1.1\r\nHost: example\r\n\r\n");
    const std::string answer = client.read_answer();
    EXPECT_EQ(status_of(answer), "200");
    EXPECT_THAT(answer, HasSubstr("Date: "));
    EXPECT_THAT(answer, HasSubstr("X-Request-Id: "));
    EXPECT_EQ(body_of(answer),
              "GET /a/b%20c\nsegment a\nsegment b c\nquery x=1\nquery y=a b&\nhost example\n"
              "target /a/b%20c?x=1&y=a+b%26\nbody ");
  }
  EXPECT_EQ(server_->stats().accepted, 1U);
  EXPECT_EQ(server_->stats().requests, 3U);
}

TEST_F(HttpServer, TakesRequestsByteByByte) {
  start();
  RawClient client(port());
  client.send_slowly(
      "POST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n");
  EXPECT_THAT(client.read_answer(), HasSubstr("body abcdefg"));
  client.send_slowly(
      "POST /empty HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\n");
  EXPECT_THAT(client.read_answer(), HasSubstr("POST /empty"));
  client.send_slowly("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
  EXPECT_THAT(client.read_answer(), HasSubstr("body hello"));
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  start({}, [](const Request& request, Responder responder) {
    // The first takes longest; were they handled side by side, it would be answered last.
    if (request.path == "/0") std::this_thread::sleep_for(Millis(30));
    responder.send({.body = request.path});
  });
  RawClient client(port());
  std::string requests;
  for (int i = 0; i < 20; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  }
  client.send(requests);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(body_of(client.read_answer()), "/" + std::to_string(i));
}

TEST_F(HttpServer, AnswersHeadWithTheLengthOnly) {
  start();
  RawClient client(port());
  client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /y HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string head = client.read_answer(true);
  EXPECT_EQ(status_of(head), "200");
  EXPECT_THAT(head, Not(HasSubstr("Content-Length: 0")));
  EXPECT_THAT(client.read_answer(), HasSubstr("GET /y"));
}

TEST_F(HttpServer, SaysContinueToWhoWaitsForIt) {
  start();
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_EQ(client.received(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.received().clear();
  client.send("ok");
  EXPECT_THAT(client.read_answer(), HasSubstr("body ok"));
}

TEST_F(HttpServer, RefusesBeforeTheBodyIsSent) {
  start({.body_limit = [](const Request&) { return size_t{10}; }});
  RawClient client(port());
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n");
  const std::string answer = client.read_answer();
  EXPECT_EQ(status_of(answer), "413");
  EXPECT_THAT(answer, HasSubstr("Connection: close"));
}

TEST_F(HttpServer, UnderstandsAbsoluteAndAsteriskForm) {
  start();
  const std::string absolute = ask("GET http://real.example/p?q=1 HTTP/1.1\r\nHost: other\r\n\r\n");
  EXPECT_THAT(absolute, HasSubstr("host real.example\ntarget /p?q=1\n"));
  EXPECT_THAT(ask("GET HTTP://real.example?q=1 HTTP/1.1\r\nHost: other\r\n\r\n"),
              HasSubstr("GET /\nquery q=1\nhost real.example\n"));
  EXPECT_THAT(ask("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), HasSubstr("OPTIONS *"));
  EXPECT_EQ(status_of(ask("GET * HTTP/1.1\r\nHost: h\r\n\r\n")), "400");
  EXPECT_EQ(status_of(ask("GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n")), "400");
  EXPECT_EQ(status_of(ask("GET http://a,b/ HTTP/1.1\r\nHost: h\r\n\r\n")), "400");
}

TEST_F(HttpServer, SpeaksHttp10) {
  start();
  const auto [answer, ended] = ask_badly("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status_of(answer), "200");
  EXPECT_TRUE(ended);
}

struct Malformed {
  const char* name;
  const char* status;
  std::string request;
};

class HttpMalformed : public HttpServer, public testing::WithParamInterface<Malformed> {};

TEST_P(HttpMalformed, IsRefusedAndTheConnectionEnds) {
  std::atomic<int> handled = 0;
  start({.common_headers = {{"X-Common", "yes"}}}, [&](Request request, Responder responder) {
    ++handled;
    echo(std::move(request), std::move(responder));
  });
  // What follows must not be taken for a request of its own.
  const auto [answer, ended] =
      ask_badly(GetParam().request + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(status_of(answer), GetParam().status) << answer;
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Common: yes\r\n"));
  EXPECT_THAT(answer, HasSubstr("X-Request-Id: "));
  const auto problem = parse_json(body_of(answer));
  ASSERT_TRUE(problem) << answer;
  EXPECT_EQ(get_int(problem->as_object(), "status"), std::stoi(GetParam().status));
  EXPECT_TRUE(ended);
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(server_->stats().malformed, 1U);
}

std::string get(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n";
}
std::string with_field(std::string_view field) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(field) + "\r\n\r\n";
}
std::string chunked(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(body);
}

INSTANTIATE_TEST_SUITE_P(
    All, HttpMalformed,
    testing::Values(
        Malformed{"BothLengths", "400",
                  "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        Malformed{"BothLengthsOtherOrder", "400",
                  "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                  "Content-Length: 5\r\n\r\n0\r\n\r\n"},
        Malformed{"TwoContentLengths", "400", with_field("Content-Length: 3\r\nContent-Length: 3")},
        Malformed{"ContentLengthList", "400", with_field("Content-Length: 3, 3")},
        Malformed{"NegativeContentLength", "400", with_field("Content-Length: -1")},
        Malformed{"PlusContentLength", "400", with_field("Content-Length: +1")},
        Malformed{"HexContentLength", "400", with_field("Content-Length: 0x10")},
        Malformed{"HugeContentLength", "400", with_field("Content-Length: 99999999999999999999")},
        Malformed{"EmptyContentLength", "400", with_field("Content-Length:")},
        Malformed{"OtherCoding", "501", with_field("Transfer-Encoding: gzip, chunked")},
        Malformed{"CodingTwice", "400",
                  with_field("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")},
        Malformed{"ChunkedNotLast", "501", with_field("Transfer-Encoding: chunked, gzip")},
        Malformed{"CodingInHttp10", "400",
                  "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        Malformed{"BareLf", "400", "GET / HTTP/1.1\nHost: h\n\n"},
        Malformed{"BareLfInField", "400", with_field("X: a\nContent-Length: 5")},
        Malformed{"BareCr", "400", with_field("X: a\rY: b")},
        Malformed{"ObsoleteFolding", "400", with_field("X: a\r\n b")},
        Malformed{"ObsoleteFoldingTab", "400", with_field("X: a\r\n\tb")},
        Malformed{"SpaceBeforeColon", "400", with_field("Content-Length : 5")},
        Malformed{"SpaceBeforeFirstField", "400", "GET / HTTP/1.1\r\n X: y\r\nHost: h\r\n\r\n"},
        Malformed{"NoColon", "400", with_field("Nonsense")},
        Malformed{"NulInField", "400", with_field(std::string_view("X: a\0b", 6))},
        Malformed{"BadChunkSize", "400", chunked("xyz\r\nabc\r\n0\r\n\r\n")},
        Malformed{"ChunkSizeWithSign", "400", chunked("+3\r\nabc\r\n0\r\n\r\n")},
        Malformed{"ChunkSizeWithPrefix", "400", chunked("0x3\r\nabc\r\n0\r\n\r\n")},
        Malformed{"ChunkSizeOverflow", "400", chunked("fffffffffffffffff\r\nabc\r\n0\r\n\r\n")},
        Malformed{"ChunkEndsWrong", "400", chunked("3\r\nabcd\r\n0\r\n\r\n")},
        Malformed{"ChunkBareLf", "400", chunked("3\nabc\r\n0\r\n\r\n")},
        Malformed{"ChunkLineTooLong", "400", chunked("3;" + std::string(200'000, 'x'))},
        Malformed{"ChunkedTooLarge", "413", chunked("ffffff\r\nabc")},
        Malformed{"TooLarge", "413", with_field("Content-Length: 99999999")},
        Malformed{"NoHost", "400", "GET / HTTP/1.1\r\n\r\n"},
        Malformed{"TwoHosts", "400", with_field("Host: other")},
        Malformed{"BadHost", "400", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
        Malformed{"DotDot", "400", get("/a/../b")}, Malformed{"Dot", "400", get("/./b")},
        Malformed{"EncodedDotDot", "400", get("/a/%2e%2E/b")},
        Malformed{"BadEscape", "400", get("/a%zz")}, Malformed{"CutEscape", "400", get("/a%2")},
        Malformed{"EncodedNul", "400", get("/a%00")},
        Malformed{"BadEscapeInQuery", "400", get("/a?x=%g0")},
        Malformed{"Fragment", "400", get("/a#b")}, Malformed{"NotAscii", "400", get("/\xc3\xa4")},
        Malformed{"NoSlash", "400", get("a")},
        Malformed{"TwoSpaces", "400", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"},
        Malformed{"NoVersion", "400", "GET /\r\nHost: h\r\n\r\n"},
        Malformed{"OtherVersion", "505", "GET / HTTP/2.0\r\nHost: h\r\n\r\n"},
        Malformed{"Connect", "501", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"},
        Malformed{"NotHttp", "400",
                  std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)},
        Malformed{"LongTarget", "414", get("/" + std::string(9'000, 'a'))},
        Malformed{"EndlessTarget", "414", "GET /" + std::string(60'000, 'a')},
        Malformed{"LargeHead", "431", with_field("X: " + std::string(40'000, 'a'))},
        Malformed{"EndlessHead", "431",
                  "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(60'000, 'a')},
        Malformed{"ManyFields", "431",
                  [] {
                    std::string fields = "A: b";
                    for (int i = 0; i < 200; ++i) fields += "\r\nA: b";
                    return with_field(fields);
                  }()}),
    [](const auto& info) { return info.param.name; });

class HttpSplit : public HttpServer, public testing::WithParamInterface<const char*> {};

// Wherever the network cuts a malformed head, the parts must not slip through one by one.
TEST_P(HttpSplit, IsRefusedHoweverItIsCut) {
  start();
  const std::string head = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n";
  const std::string request = head + GetParam() + "\r\n\r\n";
  for (size_t cut = 1; cut < request.size(); ++cut) {
    RawClient client(port());
    client.send(request.substr(0, cut));
    std::this_thread::sleep_for(Millis(1));  // so that the parts arrive apart, mostly
    client.send(request.substr(cut));
    EXPECT_TRUE(client.read_to_end());
    EXPECT_EQ(status_of(client.received()), "400") << cut;
  }
}

INSTANTIATE_TEST_SUITE_P(All, HttpSplit,
                         testing::Values("X: a\r\n folded", "X: a\nContent-Length: 5",
                                         "Transfer-Encoding: chunked\r\nContent-Length: 5"));

TEST_F(HttpServer, EndsRequestsThatDoNotArrive) {
  ServerOptions options;
  options.limits.header_timeout = Millis(100);
  options.limits.body_timeout = Millis(100);
  options.limits.idle_timeout = Millis(100);
  start(std::move(options));
  RawClient silent(port()), slow_head(port()), slow_body(port());
  slow_head.send("GET / HTTP/1.1\r\nHo");
  slow_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhel");
  EXPECT_TRUE(slow_head.read_to_end());
  EXPECT_EQ(status_of(slow_head.received()), "408");
  EXPECT_TRUE(slow_body.read_to_end());
  EXPECT_EQ(status_of(slow_body.received()), "408");
  EXPECT_TRUE(silent.read_to_end());
  EXPECT_EQ(silent.received(), "");
}

TEST_F(HttpServer, DripsDoNotProlongTheHead) {
  ServerOptions options;
  options.limits.header_timeout = Millis(200);
  start(std::move(options));
  RawClient client(port());
  client.send("GET / HTTP/1.1\r\nHost: h\r\n");
  // A byte now and then, as long as the server takes it.
  std::atomic<bool> answered = false;
  std::thread drip([&] {
    while (!answered) {
      client.send("a");
      std::this_thread::sleep_for(Millis(10));
    }
  });
  EXPECT_TRUE(client.read_until("408"));
  answered = true;
  drip.join();
}

TEST_F(HttpServer, ConnectionsAreBounded) {
  ServerOptions options;
  options.limits.max_connections = 2;
  start(std::move(options));
  RawClient first(port()), second(port());
  first.send(get("/"));
  second.send(get("/"));
  EXPECT_EQ(status_of(first.read_answer()), "200");
  EXPECT_EQ(status_of(second.read_answer()), "200");
  RawClient third(port());
  EXPECT_TRUE(third.read_to_end());
  EXPECT_EQ(third.received(), "");
  EXPECT_EQ(server_->stats().refused, 1U);
  first.close();
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 1; }));
  EXPECT_EQ(status_of(ask(get("/"))), "200");
}

TEST(HttpLimits, ConnectionsLeaveDescriptorsForTheRest) {
  for (const size_t descriptors : {256u, 1024u, 20'000u, 1u << 20}) {
    const Limits limits = fit_to_descriptors({}, descriptors);
    EXPECT_LE(limits.max_connections + std::min<size_t>(descriptors / 2, 4096), descriptors);
    EXPECT_GE(limits.max_connections, std::min<size_t>(descriptors / 2, 20'000)) << descriptors;
    EXPECT_LE(limits.max_connections_per_address * 2, limits.max_connections) << descriptors;
  }
  EXPECT_EQ(fit_to_descriptors({}, 1 << 20).max_connections, Limits{}.max_connections);
}

TEST_F(HttpServer, AnAddressHasItsShareOfTheConnections) {
  ServerOptions options;
  options.limits.max_connections_per_address = 1;
  start(std::move(options));
  RawClient first(port());
  first.send(get("/"));
  EXPECT_EQ(status_of(first.read_answer()), "200");
  RawClient second(port());  // loopback is an address like any other
  EXPECT_TRUE(second.read_to_end());
  EXPECT_EQ(second.received(), "");
  first.close();
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
  EXPECT_EQ(status_of(ask(get("/"))), "200");
}

TEST_F(HttpServer, BehindAProxyTheClientsAreCounted) {
  ServerOptions options;
  options.limits.max_connections_per_address = 1;
  options.is_proxy = [](const std::string& peer) { return peer == "127.0.0.1"; };
  options.client_of = [](const Request& request) {
    return std::string(request.headers.find("X-Forwarded-For").value_or(request.peer.address));
  };
  std::promise<void> let_go;
  const std::shared_future<void> held = let_go.get_future().share();
  start(std::move(options), [held](Request request, Responder responder) {
    if (request.path == "/held") held.wait();
    responder.send({.body = std::string("done")});
  });
  const auto from = [](const std::string& path, const std::string& client) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: " + client +
           "\r\n\r\n";
  };
  // The proxy may have many connections, and each client one request at a time.
  RawClient busy(port()), same(port()), other(port()), own(port());
  busy.send(from("/held", "192.0.2.1"));
  EXPECT_TRUE(eventually([&] { return server_->stats().requests == 1; }));
  same.send(from("/", "192.0.2.1"));
  const std::string refused = same.read_answer();
  EXPECT_EQ(status_of(refused), "429");
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  other.send(from("/", "192.0.2.2"));
  EXPECT_EQ(status_of(other.read_answer()), "200");
  own.send(get("/"));
  EXPECT_EQ(status_of(own.read_answer()), "200");
  let_go.set_value();
  EXPECT_EQ(status_of(busy.read_answer()), "200");
  // Its request is answered, and the connection kept: the next one counts for whoever sends it.
  EXPECT_TRUE(eventually([&] {
    same.send(from("/", "192.0.2.1"));
    return status_of(same.read_answer()) == "200";
  }));
  busy.send(from("/", "192.0.2.3"));
  EXPECT_EQ(status_of(busy.read_answer()), "200");
}

TEST_F(HttpServer, RequestsBeyondTheQueueAre503) {
  ServerOptions options;
  options.workers = 1;
  options.limits.max_queued_requests = 1;
  options.inline_answer = [](const Request& request) -> std::optional<Response> {
    if (request.path != "/alive") return std::nullopt;
    return Response{.body = "alive"};
  };
  std::promise<void> let_go;
  const std::shared_future<void> held = let_go.get_future().share();
  std::atomic<int> at_work = 0;
  start(std::move(options), [&](const Request&, Responder responder) {
    ++at_work;
    held.wait();
    responder.send({.body = "done"});
  });
  RawClient working(port()), waiting(port());
  working.send(get("/"));
  ASSERT_TRUE(eventually([&] { return at_work == 1; }));
  waiting.send(get("/"));
  ASSERT_TRUE(eventually([&] { return server_->stats().requests == 2; }));
  const std::string refused = ask(get("/"));
  EXPECT_EQ(status_of(refused), "503");
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  // Liveness is answered although all workers are busy.
  EXPECT_EQ(body_of(ask(get("/alive"))), "alive");
  let_go.set_value();
  EXPECT_EQ(body_of(working.read_answer()), "done");
  EXPECT_EQ(body_of(waiting.read_answer()), "done");
}

TEST_F(HttpServer, AnswersThatNobodyGivesAre500) {
  start({}, [](const Request& request, Responder) {
    if (request.path == "/throw") throw std::runtime_error("out of luck");
  });
  EXPECT_EQ(status_of(ask(get("/forgotten"))), "500");
  EXPECT_EQ(status_of(ask(get("/throw"))), "500");
}

TEST_F(HttpServer, RespondersMayAnswerFromOtherThreadsLater) {
  std::mutex mutex;
  std::vector<Responder> kept;
  start({}, [&](const Request&, Responder responder) {
    const std::scoped_lock lock(mutex);
    kept.push_back(std::move(responder));
  });
  RawClient client(port()), gone(port());
  client.send(get("/"));
  gone.send(get("/"));
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return kept.size() == 2;
  }));
  gone.close();
  for (Responder& responder : kept) responder.send({.body = "late"});
  EXPECT_EQ(body_of(client.read_answer()), "late");
  kept.clear();
  EXPECT_EQ(status_of(ask("BREW / HTTP/1.1\r\n\r\n")), "400");  // it still works
}

TEST_F(HttpServer, RequestIdsAreKeptWhenTheyAreSafe) {
  start();
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: abc-1\r\n\r\n"),
              HasSubstr("X-Request-Id: abc-1\r\n"));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: a b<script>\r\n\r\n"),
              Not(HasSubstr("script")));
}

TEST_F(HttpServer, FieldsThatHandlersSetCannotBreakOut) {
  start({}, [](const Request&, Responder responder) {
    responder.send({.headers = {{"X-Bad", "a\r\nSet-Cookie: b"}}, .body = ""});
  });
  EXPECT_THAT(ask(get("/")), Not(HasSubstr("\r\nSet-Cookie")));
}

TEST_F(HttpServer, LargeAnswersReachSlowReadersWhole) {
  const std::string large(8 << 20, 'x');
  start({}, [&](const Request&, Responder responder) { responder.send({.body = large}); });
  RawClient client(port(), 4096);
  client.send(get("/") + get("/"));
  EXPECT_EQ(body_of(client.read_answer()).size(), large.size());
  EXPECT_EQ(body_of(client.read_answer()).size(), large.size());
}

TEST_F(HttpServer, WhoTakesNothingIsLetGo) {
  ServerOptions options;
  options.limits.pace.stall = Millis(100);
  start(std::move(options), [&](const Request&, Responder responder) {
    responder.send({.body = std::string(32 << 20, 'x')});
  });
  RawClient client(port(), 4096);
  client.send(get("/"));
  EXPECT_TRUE(eventually([&] { return server_->stats().requests == 1; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
}

TEST_F(HttpServer, HalfClosedClientsGetTheirAnswer) {
  start();
  RawClient client(port());
  client.send(get("/last"));
  client.end_sending();
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), HasSubstr("GET /last"));
}

TEST_F(HttpServer, DrainsWhatIsUnderWay) {
  std::promise<void> let_go;
  const std::shared_future<void> held = let_go.get_future().share();
  start({}, [&](const Request&, Responder responder) {
    held.wait();
    responder.send({.body = "done"});
  });
  RawClient idle(port()), busy(port());
  busy.send(get("/"));
  ASSERT_TRUE(eventually(
      [&] { return server_->stats().requests == 1 && server_->stats().connections == 2; }));
  server_->stop_accepting();
  EXPECT_TRUE(idle.read_to_end());
  EXPECT_FALSE(RawClient(port()).connected());
  EXPECT_FALSE(server_->drain(Millis(1)));
  let_go.set_value();
  const std::string answer = busy.read_answer();
  EXPECT_EQ(body_of(answer), "done");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  busy.close();
  EXPECT_TRUE(server_->drain(kPatience));
}

TEST_F(HttpServer, WithoutDescriptorsItServesWhoIsThereAndTakesTheOthersLater) {
  constexpr std::string_view kAsk = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
  start();
  RawClient there(port());
  there.send(kAsk);
  EXPECT_EQ(status_of(there.read_answer()), "200");
  const int next = ::dup(STDIN_FILENO);  // the lowest that is free: the late client's
  ::close(next);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next) + 1, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  RawClient late(port());
  late.send(kAsk);
  for (int i = 0; i < 50; ++i) {
    there.send(kAsk);
    EXPECT_EQ(status_of(there.read_answer()), "200");
  }
  EXPECT_EQ(server_->stats().accepted, 1u);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(status_of(late.read_answer()), "200");
}

TEST_F(HttpServer, EndsWithConnectionsOpen) {
  start();
  RawClient idle(port()), started(port());
  started.send("GET / HT");
  ASSERT_TRUE(eventually([&] { return server_->stats().connections == 2; }));
  server_.reset();
  EXPECT_TRUE(idle.read_to_end());
  EXPECT_TRUE(started.read_to_end());
}

TEST_F(HttpServer, ManyClientsAtOnce) {
  start();
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      RawClient client(port());
      for (int i = 0; i < 100; ++i) {
        const std::string path = "/" + std::to_string(thread) + "/" + std::to_string(i);
        client.send(get(path));
        if (client.read_answer().contains("GET " + path + "\n")) ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
}

TEST(HttpServerStart, ListensOnIpv6) {
  auto server = Server::start({.host = "::1"}, [](const Request& request, Responder responder) {
    responder.send({.body = request.peer.address});
  });
  if (!server) GTEST_SKIP() << "this machine has no ::1";
  const auto answer =
      fetch({.url = "http://[::1]:" + std::to_string((*server)->address().second) + "/"});
  ASSERT_TRUE(answer) << full_message(answer.error());
  EXPECT_EQ(std::get<std::string>(answer->body), "::1");
}

TEST(HttpServerStart, SaysWhyItCannotListen) {
  auto first = Server::start({}, echo);
  ASSERT_TRUE(first);
  auto second = Server::start({.port = (*first)->address().second}, echo);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kConflict);
  auto nowhere = Server::start({.host = "no such host"}, echo);
  ASSERT_FALSE(nowhere);
}

}  // namespace
}  // namespace wave::http
