// What answers cost while nobody reads them.
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <new>

#include "http/server.h"
#include "http/test_support.h"
#include "http/windows.h"

namespace wave::http {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

struct Counted {
  std::atomic<uint64_t> given = 0;
  std::atomic<int> living = 0;
};

/// So many bytes, which say where they are.
class Counting final : public BodySource {
 public:
  Counting(Counted& counted, uint64_t size) : counted_(counted), size_(size) { ++counted_.living; }
  ~Counting() override { --counted_.living; }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

  Result<std::string> next(size_t window) override {
    std::string piece(std::min<uint64_t>(window, size_ - at_), '\0');
    for (char& c : piece) c = byte_at(at_++);
    counted_.given += piece.size();
    return piece;
  }
  static char byte_at(uint64_t at) { return static_cast<char>('a' + at / 1000 % 26); }
  static std::string whole(uint64_t size) {
    std::string text(size, '\0');
    for (uint64_t at = 0; at < size; ++at) text[at] = byte_at(at);
    return text;
  }

 private:
  Counted& counted_;
  const uint64_t size_;
  uint64_t at_ = 0;
};

/// The body that the chunks make together.
std::string unchunk(std::string_view text) {
  std::string body;
  while (true) {
    const size_t end = text.find("\r\n");
    const size_t size = std::stoul(std::string(text.substr(0, end)), nullptr, 16);
    if (size == 0) return body;
    body += text.substr(end + 2, size);
    text.remove_prefix(end + 2 + size + 2);
  }
}

class HttpBodies : public testing::Test {
 protected:
  void start(Server::Handler handler, ServerOptions options = {}) {
    if (options.reactors == 0) options.reactors = 2;
    auto started = Server::start(std::move(options), std::move(handler));
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }
  Server::Handler streams(uint64_t size, bool says_length) {
    return [this, size, says_length](const Request& request, Responder responder) {
      if (request.path == "/small") return responder.send({.body = "small"});
      StreamedBody body{.source = std::make_shared<Counting>(counted_, size), .length = {}};
      if (says_length) body.length = size;
      responder.send({.body = std::move(body)});
    };
  }
  [[nodiscard]] uint16_t port() const { return server_->address().second; }
  std::vector<std::unique_ptr<RawClient>> clients_that_do_not_read(size_t count) {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (size_t i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawClient>(port(), 4096));
      clients.back()->send(kGet);
    }
    EXPECT_TRUE(eventually([&] { return server_->stats().requests == count; }));
    return clients;
  }
  std::string ask(std::string_view request) {
    RawClient client(port());
    client.send(request);
    return client.read_answer();
  }

  Counted counted_;
  std::unique_ptr<Server> server_;
};

TEST_F(HttpBodies, WithoutALengthGoOutInChunks) {
  start(streams(300'000, false));
  RawClient client(port());
  for (int round = 0; round < 2; ++round) {  // and the connection goes on
    client.received().clear();
    client.send(kGet);
    ASSERT_TRUE(client.read_until("\r\n0\r\n\r\n"));
    EXPECT_THAT(client.received(), HasSubstr("Transfer-Encoding: chunked\r\n"));
    EXPECT_THAT(client.received(), Not(HasSubstr("Content-Length")));
    EXPECT_EQ(unchunk(body_of(client.received())), Counting::whole(300'000));
  }
  EXPECT_TRUE(eventually([&] { return counted_.living == 0; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().windows == 0; }));
}

TEST_F(HttpBodies, EndWithTheConnectionForOldClients) {
  start(streams(300'000, false));
  RawClient client(port());
  client.send("GET / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_THAT(client.received(), Not(HasSubstr("chunked")));
  EXPECT_EQ(body_of(client.received()), Counting::whole(300'000));
}

TEST_F(HttpBodies, WithALengthAreWhole) {
  start(streams(300'000, true));
  RawClient client(port());
  client.send(std::string(kGet) + "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(body_of(client.read_answer()), Counting::whole(300'000));
  EXPECT_THAT(client.read_answer(true), HasSubstr("Content-Length: 300000\r\n"));
  EXPECT_EQ(body_of(client.read_answer()), Counting::whole(300'000));
}

TEST_F(HttpBodies, ThatEndEarlyEndTheConnection) {
  start([this](const Request& request, Responder responder) {
    StreamedBody body{.source = std::make_shared<Counting>(counted_, 200'000), .length = {}};
    if (request.path == "/short") body.length = 300'000;
    if (request.path == "/long") body.length = 100'000;
    struct Broken final : BodySource {
      Result<std::string> next(size_t) override { return fail(Code::kIo, "the disk is gone"); }
    };
    struct Thrown final : BodySource {
      Result<std::string> next(size_t) override { throw std::bad_alloc(); }
    };
    if (request.path == "/broken") body.source = std::make_shared<Broken>();
    if (request.path == "/thrown") body.source = std::make_shared<Thrown>();
    responder.send({.body = std::move(body)});
  });
  for (const std::string path : {"/short", "/long", "/broken", "/thrown"}) {
    RawClient client(port());
    client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(client.read_to_end()) << path;
    EXPECT_THAT(client.received(), HasSubstr("200 OK")) << path;
    EXPECT_THAT(client.received(), Not(HasSubstr("\r\n0\r\n\r\n"))) << path;
  }
  EXPECT_TRUE(eventually([&] { return counted_.living == 0; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().windows == 0; }));
}

TEST_F(HttpBodies, AreReadNoFasterThanClientsTakeThem) {
  constexpr uint64_t kHuge = 1ULL << 40;
  constexpr size_t kClients = 40;
  start(streams(kHuge, true));
  auto clients = clients_that_do_not_read(kClients);
  ASSERT_TRUE(eventually([&] { return counted_.living == kClients; }));
  // Others are answered meanwhile, and nothing more is read for those who do not read.
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(body_of(ask("GET /small HTTP/1.1\r\nHost: h\r\n\r\n")), "small");
  }
  EXPECT_LT(counted_.given, kClients * (1 << 20));
  EXPECT_LE(server_->stats().windows, kClients * (64 << 10));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return counted_.living == 0; }));
  EXPECT_TRUE(eventually([&] { return server_->stats().windows == 0; }));
}

TEST_F(HttpBodies, AnswersThatAreLargeWaitInAFile) {
  constexpr size_t kClients = 20, kSize = 4 << 20;
  start([](const Request&, Responder responder) {
    responder.send({.body = Counting::whole(kSize)});
  });
  auto clients = clients_that_do_not_read(kClients);
  ASSERT_TRUE(eventually([&] { return server_->stats().spooled == kClients * kSize; }));
  EXPECT_LE(server_->stats().windows, kClients * (64 << 10));
  EXPECT_EQ(body_of(clients.front()->read_answer()), Counting::whole(kSize));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return server_->stats().spooled == 0; }));
  EXPECT_EQ(body_of(ask(kGet)), Counting::whole(kSize));
}

TEST_F(HttpBodies, WithoutRoomAreRefused) {
  constexpr size_t kSize = 1 << 20;
  ServerOptions options;
  options.spool = {.file_bytes = 6 * kSize, .memory_bytes = 0};
  options.client_of = [](const Request& request) { return request.path; };
  start([](const Request&,
           Responder responder) { responder.send({.body = std::string(kSize, 'x')}); },
        std::move(options));
  const auto reads_not = clients_that_do_not_read(3);
  ASSERT_TRUE(eventually([&] { return server_->stats().spooled == 3 * kSize; }));
  const std::string refused = ask(kGet);  // the client "/" has its half
  EXPECT_EQ(status_of(refused), "503");
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_EQ(body_of(ask("GET /other HTTP/1.1\r\nHost: h\r\n\r\n")).size(), kSize);
}

TEST_F(HttpBodies, WithoutADiskWaitInLittleMemory) {
  constexpr size_t kSize = 1 << 20;
  ServerOptions options;
  options.spool_folder = "/no such folder";
  options.spool.memory_bytes = 4 * kSize;
  start([](const Request&,
           Responder responder) { responder.send({.body = std::string(kSize, 'x')}); },
        std::move(options));
  const auto reads_not = clients_that_do_not_read(2);
  ASSERT_TRUE(eventually([&] { return server_->stats().spooled == 2 * kSize; }));
  EXPECT_EQ(status_of(ask(kGet)), "503");
}

TEST_F(HttpBodies, WindowsAreSmallWhenManyAreOpen) {
  Windows windows;
  std::vector<Windows::Window> open;
  for (int i = 0; i < 20'000; ++i) open.push_back(windows.take());
  EXPECT_LE(windows.open(), Windows::kLargeTogether + 20'000 * Windows::kSmall);
  EXPECT_EQ(open.front().bytes(), Windows::kLarge);
  EXPECT_EQ(open.back().bytes(), Windows::kSmall);
  open.clear();
  EXPECT_EQ(windows.open(), 0U);
}

TEST_F(HttpBodies, RequestsOfOneLaneDoNotWaitForAnother) {
  ServerOptions options;
  options.workers = 8;
  options.lane = [](const Request& request) {
    return request.path == "/gate" ? Lane::kUrgent : Lane::kReading;
  };
  std::promise<void> let_go;
  const std::shared_future<void> held = let_go.get_future().share();
  std::atomic<int> at_work = 0;
  start(
      [&](const Request& request, Responder responder) {
        if (request.path == "/gate") return responder.send({.body = "decided"});
        ++at_work;
        held.wait();
        responder.send({.body = "built"});
      },
      std::move(options));
  auto builders = clients_that_do_not_read(100);
  ASSERT_TRUE(eventually([&] { return at_work == 6; }));  // of 8 threads: one client has no more
  EXPECT_EQ(body_of(ask("GET /gate HTTP/1.1\r\nHost: h\r\n\r\n")), "decided");
  EXPECT_EQ(at_work, 6);
  let_go.set_value();
  for (const auto& client : builders) EXPECT_EQ(body_of(client->read_answer()), "built");
}

TEST_F(HttpBodies, AllocationsThatFailEndOneRequestOnly) {
  ServerOptions options;
  options.lane = [](const Request& request) -> Lane {
    if (request.path == "/reactor") throw std::bad_alloc();
    return Lane::kOther;
  };
  start(
      [](const Request& request, Responder responder) {
        if (request.path == "/handler") throw std::bad_alloc();
        struct Thrown final : StreamSource {
          Next pull(size_t, std::vector<Frame>&) override { throw std::bad_alloc(); }
        };
        if (request.path == "/stream") {
          return responder.stream({}, {}, [](StreamHandle) { return std::make_unique<Thrown>(); });
        }
        if (request.path == "/begin") {
          return responder.stream({}, {}, [](StreamHandle) -> std::unique_ptr<StreamSource> {
            throw std::bad_alloc();
          });
        }
        responder.send({.body = "fine"});
      },
      std::move(options));
  for (const std::string path : {"/reactor", "/handler", "/stream", "/begin"}) {
    RawClient client(port());
    client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.read_to_end()) << path;
    EXPECT_EQ(body_of(ask(kGet)), "fine") << path;
  }
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
  EXPECT_EQ(server_->stats().streams, 0U);
}

}  // namespace
}  // namespace wave::http
