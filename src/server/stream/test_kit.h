// What the tests of streams are made of: a reactor without sockets, clients that read, stop reading
// and come back. Header only, so that it is in test programs and nowhere else.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "http/reactor.h"
#include "server/stream/streams.h"
#include "store/test_support.h"

namespace wave::server::stream {

constexpr auto kPatience = std::chrono::seconds(60);

/// A thread that runs what is posted and pulls the streams that were woken, as the real one does.
class TestReactor final : public http::Reactor {
 public:
  /// What a client has got. Everything but the source is guarded by the reactor's mutex.
  struct Client {
    std::unique_ptr<http::StreamSource> source;  // of the reactor's thread
    std::string text;
    bool reads = true, ended = false;
  };

  TestReactor() : thread_([this] { run(); }) {}
  ~TestReactor() override {
    post([this] { ends_ = true; });
    thread_.join();
  }
  void post(std::move_only_function<void()> work) override {
    const std::scoped_lock lock(mutex_);
    posted_.push_back(std::move(work));
    changed_.notify_all();
  }
  void wake_stream(uint64_t id) override { woken_.push_back(id); }
  [[nodiscard]] size_t index() const override { return 0; }

  /// Gives a source to a new connection; its number.
  uint64_t connect(http::Responder::MakeSource make, bool reads = true) {
    const uint64_t id = ++last_id_;
    client(id).reads = reads;
    post([this, id, make = std::move(make)]() mutable {
      client(id).source = make(http::StreamHandle(this, id));
      pull(id);
    });
    return id;
  }
  void set_reads(uint64_t id, bool reads) {
    post([this, id, reads] {
      {
        Client& changed = client(id);
        const std::scoped_lock lock(mutex_);
        changed.reads = reads;
      }
      pull(id);
    });
  }
  /// The client goes away; returns when its source is gone.
  std::string disconnect(uint64_t id) {
    run_here([this, id] { client(id).source.reset(); });
    const std::scoped_lock lock(mutex_);
    return clients_[id].text;
  }
  void run_here(std::function<void()> work) {
    std::atomic<bool> done = false;
    post([&] {
      work();
      const std::scoped_lock lock(mutex_);
      done = true;
      changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done.load(); });
  }
  bool wait_until(uint64_t id, const std::function<bool(const Client&)>& holds) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return holds(clients_[id]); });
  }
  bool wait_for_text(uint64_t id, std::string_view text) {
    return wait_until(id, [&](const Client& client) { return client.text.contains(text); });
  }
  bool wait_for_end(uint64_t id) {
    return wait_until(id, [](const Client& client) { return client.ended; });
  }
  std::string text(uint64_t id) {
    const std::scoped_lock lock(mutex_);
    return clients_[id].text;
  }

 private:
  Client& client(uint64_t id) {
    const std::scoped_lock lock(mutex_);
    return clients_[id];
  }
  void pull(uint64_t id) {
    Client& at = client(id);
    while (at.source) {
      {
        const std::scoped_lock lock(mutex_);
        if (!at.reads) return;
      }
      std::vector<http::Frame> frames;
      const auto next = at.source->pull(16 << 10, frames);
      // Before it is said: whoever waits for the end may ask next whether the seat is free.
      if (next == http::StreamSource::Next::kEnded) at.source.reset();
      {
        const std::scoped_lock lock(mutex_);
        for (const http::Frame& frame : frames) at.text += *frame;
        if (next == http::StreamSource::Next::kEnded) at.ended = true;
        changed_.notify_all();
      }
      if (next == http::StreamSource::Next::kWait) return;
    }
  }
  void run() {
    while (!ends_) {
      std::move_only_function<void()> work;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !posted_.empty(); });
        work = std::move(posted_.front());
        posted_.pop_front();
      }
      work();
      for (const uint64_t id : std::exchange(woken_, {})) pull(id);
    }
    clients_.clear();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::move_only_function<void()>> posted_;
  std::map<uint64_t, Client> clients_;
  std::atomic<uint64_t> last_id_ = 0;
  bool ends_ = false;            // of the thread
  std::vector<uint64_t> woken_;  // of the thread
  std::thread thread_;
};

struct SentEvent {
  std::string id, kind, data;
};
/// What an EventSource would dispatch of a stream that may have been cut anywhere.
inline std::vector<SentEvent> parse_events(std::string_view text) {
  std::vector<SentEvent> events;
  SentEvent event;
  std::string last_id;
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string_view::npos;
       at = end + 1) {
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with("id: ")) last_id = line.substr(4);
    if (line.starts_with("event: ")) event.kind = line.substr(7);
    if (line.starts_with("data: ")) event.data = line.substr(6);
    if (!line.empty()) continue;
    event.id = last_id;
    if (!event.data.empty()) events.push_back(event);
    event = {};
  }
  return events;
}
/// Last-Event-ID after that text.
inline std::string last_id(std::string_view text) {
  std::string id, seen;
  for (size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string_view::npos;
       at = end + 1) {
    const std::string_view line = text.substr(at, end - at);
    if (line.starts_with("id: ")) seen = line.substr(4);
    if (line.empty() && !seen.empty()) id = seen;
  }
  return id;
}
inline std::vector<std::string> ids(std::string_view text) {
  std::vector<std::string> found;
  for (const SentEvent& event : parse_events(text)) found.push_back(event.id);
  return found;
}

/// The machine's clock with a wall clock that can be put forward.
class TestClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return SystemClock().wall() + ahead_.load(); }
  [[nodiscard]] MonoTime mono() const override { return SystemClock().mono(); }
  void put_forward(Millis by) { ahead_ = ahead_.load() + by; }

 private:
  std::atomic<Millis> ahead_{Millis(0)};
};

/// A store in a temporary project, the streams over it, a reactor.
class StreamsTest : public ::testing::Test {
 protected:
  void SetUp() override { open_store(); }
  void open_store() {
    auto opened = store::open_store(project_.paths());
    ASSERT_TRUE(opened) << full_message(opened.error());
    store_ = std::move(*opened);
  }
  Streams& streams() {
    if (!streams_) {
      streams_ = std::make_unique<Streams>(
          *store_, clock_,
          [this](const std::string&) {
            const int position = position_;
            return position > 0 ? std::optional(position) : std::nullopt;
          },
          limits_);
      reactor_ = std::make_unique<TestReactor>();
    }
    return *streams_;
  }
  TestReactor& reactor() {
    streams();
    return *reactor_;
  }
  void TearDown() override {
    reactor_.reset();
    streams_.reset();
  }

  void make_run(const std::string& run, const std::string& pipeline = "review") {
    ASSERT_OK(store_->create_run(store::new_run(run, pipeline)));
  }
  void add(const std::string& run, uint64_t from, uint64_t to) {
    store::Append append = store::append_of(run, {});
    for (uint64_t seq = from; seq <= to; ++seq) {
      append.events.push_back(store::event(run, seq, flow::Kind::kStreamActivity, "build",
                                           {{"content", std::string(100, 'x')}}));
    }
    ASSERT_OK(store_->append_and_wait(std::move(append)));
  }
  void end(const std::string& run, uint64_t seq) {
    ASSERT_OK(store_->append_and_wait(store::end_of(run, seq)));
  }
  Streams::Answer answer(Hub::Request request) {
    auto opened = streams().open(request);
    EXPECT_TRUE(opened) << full_message(opened.error());
    return opened ? *std::move(opened) : Streams::Answer{};
  }
  uint64_t connect(Hub::Request request, bool reads = true) {
    Streams::Answer got = answer(std::move(request));
    EXPECT_EQ(got.response.status, 200);
    EXPECT_TRUE(got.make);
    return reactor().connect(std::move(got.make), reads);
  }

  store::TemporaryProject project_;
  std::unique_ptr<store::Store> store_;
  TestClock clock_;
  HubLimits limits_{.tick = Millis(10)};
  std::atomic<int> position_ = 0;
  std::unique_ptr<Streams> streams_;
  std::unique_ptr<TestReactor> reactor_;
};

/// 1, 2, 3 ... up to `last`, each once, in order.
inline void expect_whole(std::string_view text, uint64_t last) {
  const auto got = ids(text);
  ASSERT_EQ(got.size(), last);
  for (uint64_t i = 0; i < last; ++i) ASSERT_EQ(got[i], std::to_string(i + 1));
}

}  // namespace wave::server::stream
