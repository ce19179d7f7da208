#include <gmock/gmock.h>
#include <sys/resource.h>

#include <atomic>
#include <fstream>

#include "base/text.h"
#include "http/reactor.h"
#include "http/server.h"
#include "http/test_support.h"

namespace wave::http {
namespace {

using testing::HasSubstr;
using testing::Not;

/// What the tests' sources share: a list of frames that grows, and who listens.
struct Feed {
  std::mutex mutex;
  std::vector<Frame> frames;
  bool ended = false;
  std::vector<StreamHandle> handles;
  std::atomic<int> living = 0;
  std::atomic<size_t> pulled_bytes = 0;

  void add(std::string text) {
    std::vector<StreamHandle> wake;
    {
      const std::scoped_lock lock(mutex);
      frames.push_back(std::make_shared<const std::string>(std::move(text)));
      wake = handles;
    }
    for (const StreamHandle& handle : wake) handle.wake();
  }
  void end() {
    const std::scoped_lock lock(mutex);
    ended = true;
    for (const StreamHandle& handle : handles) handle.wake();
  }
};

class FeedSource final : public StreamSource {
 public:
  FeedSource(std::shared_ptr<Feed> feed, const StreamHandle& handle) : feed_(std::move(feed)) {
    ++feed_->living;
    const std::scoped_lock lock(feed_->mutex);
    feed_->handles.push_back(handle);
  }
  ~FeedSource() override { --feed_->living; }

  Next pull(size_t budget, std::vector<Frame>& frames) override {
    const std::scoped_lock lock(feed_->mutex);
    size_t size = 0;
    while (at_ < feed_->frames.size() && size < budget) {
      frames.push_back(feed_->frames[at_++]);
      size += frames.back()->size();
    }
    feed_->pulled_bytes += size;
    if (at_ < feed_->frames.size()) return Next::kMore;
    return feed_->ended ? Next::kEnded : Next::kWait;
  }

 private:
  std::shared_ptr<Feed> feed_;
  size_t at_ = 0;
};

class HttpStream : public testing::Test {
 protected:
  void start(StreamOptions stream_options = {}, ServerOptions options = {}) {
    if (options.reactors == 0) options.reactors = 2;
    auto started = Server::start(std::move(options), [feed = feed_, stream_options](
                                                         const Request& request, Responder r) {
      if (request.path != "/stream") return r.send({.body = "plain"});
      r.stream({.headers = {{"Content-Type", "text/event-stream"}}}, stream_options,
               [feed](StreamHandle handle) { return std::make_unique<FeedSource>(feed, handle); });
    });
    ASSERT_TRUE(started) << started.error().message;
    server_ = *std::move(started);
  }
  [[nodiscard]] uint16_t port() const { return server_->address().second; }
  bool streams_are(uint64_t count) {
    return eventually([&] {
      return server_->stats().streams == count && feed_->living == static_cast<int>(count);
    });
  }

  std::shared_ptr<Feed> feed_ = std::make_shared<Feed>();
  std::unique_ptr<Server> server_;
};

constexpr std::string_view kAskForStream = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";

TEST_F(HttpStream, BringsWhatIsThereAndWhatComes) {
  start();
  feed_->add("one\n");
  RawClient client(port());
  client.send(kAskForStream);
  ASSERT_TRUE(client.read_until("one\n"));
  EXPECT_THAT(client.received(), HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(client.received(), HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(client.received(), Not(HasSubstr("Content-Length")));
  feed_->add("two\n");
  ASSERT_TRUE(client.read_until("two\n"));
  feed_->add("three\n");
  feed_->end();
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(body_of(client.received()), "one\ntwo\nthree\n");
  client.close();
  EXPECT_TRUE(streams_are(0));
}

TEST_F(HttpStream, SourceEndsWhenTheClientIsGone) {
  start();
  RawClient gone(port()), half(port());
  gone.send(kAskForStream);
  half.send(kAskForStream);
  ASSERT_TRUE(streams_are(2));
  gone.close();
  EXPECT_TRUE(streams_are(1));
  half.end_sending();  // nobody who listens says goodbye
  EXPECT_TRUE(streams_are(0));
}

TEST_F(HttpStream, SourceEndsWithTheStreamAlthoughTheClientStays) {
  start();
  RawClient client(port());
  client.send(kAskForStream);
  ASSERT_TRUE(streams_are(1));
  feed_->end();
  EXPECT_TRUE(client.read_to_end());
  EXPECT_TRUE(eventually([&] { return feed_->living == 0; }));
}

TEST_F(HttpStream, HeartbeatsFillTheSilence) {
  start({.heartbeat = std::make_shared<const std::string>(": beat\n\n"),
         .heartbeat_every = Millis(50)});
  RawClient client(port());
  client.send(kAskForStream);
  EXPECT_TRUE(client.read_until(": beat\n\n: beat\n\n"));
}

TEST_F(HttpStream, HeadIsNoStream) {
  start();
  RawClient client(port());
  client.send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(feed_->living, 0);
  EXPECT_EQ(body_of(client.received()), "");
}

TEST_F(HttpStream, SlowReadersCostNothingAndMissNothing) {
  start();
  constexpr int kFrames = 2'000;
  constexpr size_t kSize = 16 << 10;
  RawClient slow(port(), 4096), fast(port());
  slow.send(kAskForStream);
  fast.send(kAskForStream);
  ASSERT_TRUE(streams_are(2));
  size_t expected = 0;
  for (int i = 0; i < kFrames; ++i) {
    std::string frame = std::to_string(i);
    frame.resize(kSize, '.');
    expected += frame.size();
    feed_->add(std::move(frame));
  }
  feed_->end();
  EXPECT_TRUE(fast.read_to_end());
  EXPECT_EQ(body_of(fast.received()).size(), expected);
  // The slow one was not pulled for further than its socket took, and nobody waited for it.
  EXPECT_LT(feed_->pulled_bytes, expected + expected / 2);
  EXPECT_TRUE(slow.read_to_end());
  EXPECT_EQ(body_of(slow.received()), body_of(fast.received()));
}

TEST_F(HttpStream, WhoStallsIsLetGo) {
  ServerOptions options;
  options.limits.pace.stall = Millis(100);
  start({}, std::move(options));
  RawClient client(port(), 4096);
  client.send(kAskForStream);
  ASSERT_TRUE(streams_are(1));
  for (int i = 0; i < 64; ++i) feed_->add(std::string(1 << 20, 'x'));
  EXPECT_TRUE(streams_are(0));
}

TEST_F(HttpStream, AnEndlessStreamLeavesOthersTheirTurn) {
  // One reactor, and a reader that takes all that one thread can write.
  struct Endless final : StreamSource {
    Frame frame = std::make_shared<const std::string>(std::string(64 << 10, 'x'));
    Next pull(size_t, std::vector<Frame>& frames) override {
      frames.push_back(frame);
      return Next::kMore;
    }
  };
  auto started = Server::start({.reactors = 1}, [](const Request& request, Responder responder) {
    if (request.path == "/plain") return responder.send({.body = "plain"});
    responder.stream({}, {}, [](const StreamHandle&) { return std::make_unique<Endless>(); });
  });
  ASSERT_TRUE(started);
  server_ = *std::move(started);
  RawClient greedy(port());
  greedy.send(kAskForStream);
  std::atomic<bool> enough = false;
  std::thread reader([&] {
    while (!enough && greedy.read_some()) greedy.received().clear();
  });
  RawClient client(port());
  for (int i = 0; i < 10; ++i) {
    client.send("GET /plain HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(body_of(client.read_answer()), "plain");
  }
  enough = true;
  reader.join();
}

TEST_F(HttpStream, StreamsAreSharedOutAmongReactors) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(port()).send(kAskForStream);
  ASSERT_TRUE(streams_are(20));
  std::map<const Reactor*, int> of_reactor;
  for (const StreamHandle& handle : feed_->handles) ++of_reactor[handle.reactor()];
  EXPECT_EQ(of_reactor.size(), 2U);
  for (const auto& [reactor, count] : of_reactor) EXPECT_GE(count, 5);
}

TEST_F(HttpStream, OnePostWakesAllStreamsOfAReactor) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) clients.emplace_back(port()).send(kAskForStream);
  ASSERT_TRUE(streams_are(10));
  {
    const std::scoped_lock lock(feed_->mutex);
    feed_->frames.push_back(std::make_shared<const std::string>("news\n"));
  }
  for (Reactor* reactor : server_->reactors()) {
    reactor->post([this, reactor] {
      for (const StreamHandle& handle : feed_->handles) {
        if (handle.reactor() == reactor) reactor->wake_stream(handle.id());
      }
    });
  }
  for (RawClient& client : clients) EXPECT_TRUE(client.read_until("news\n"));
}

size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

/// As many descriptors as this process may have.
rlim_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

TEST_F(HttpStream, ThousandsOfStreams) {
  constexpr size_t kStreams = 2'000;
  if (raise_descriptor_limit() < 2 * kStreams + 100) GTEST_SKIP() << "too few descriptors";
  start();
  feed_->handles.reserve(kStreams);
  std::vector<RawClient> clients;
  clients.reserve(kStreams);
  {
    RawClient warm(port());
    warm.send(kAskForStream);
    ASSERT_TRUE(streams_are(1));
  }
  ASSERT_TRUE(streams_are(0));
  const size_t before = resident_bytes();
  for (size_t i = 0; i < kStreams; ++i) {
    clients.emplace_back(port()).send(kAskForStream);
    ASSERT_TRUE(clients.back().connected()) << i;
  }
  ASSERT_TRUE(streams_are(kStreams));
  const size_t each = (resident_bytes() - std::min(before, resident_bytes())) / kStreams;
  RecordProperty("bytes_per_stream", static_cast<int>(each));
  std::printf("%zu bytes a stream\n", each);
  // Loose: sanitizers pad, and the tests' own clients are in it. Buffers per stream would show.
  EXPECT_LT(each, 40U << 10);
  feed_->add("to all\n");
  for (RawClient& client : clients) ASSERT_TRUE(client.read_until("to all\n"));
  clients.clear();
  EXPECT_TRUE(streams_are(0));
}

TEST_F(HttpStream, EndsWithStreamsOpen) {
  start();
  RawClient client(port());
  client.send(kAskForStream);
  ASSERT_TRUE(streams_are(1));
  server_->stop_accepting();
  EXPECT_FALSE(server_->drain(Millis(1)));
  server_.reset();
  EXPECT_EQ(feed_->living, 0);
  EXPECT_TRUE(client.read_to_end());
  feed_->handles.clear();  // handles of a server that has ended are not woken
}

}  // namespace
}  // namespace wave::http
