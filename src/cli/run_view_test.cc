#include "cli/run_view.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <future>
#include <mutex>

#include "base/asio_loop.h"
#include "base/text.h"
#include "cli/test_folder.h"

namespace wave::cli {
namespace {

using ::testing::HasSubstr;

/// Holds one run's log in memory and refuses everything else.
class LogRuns final : public RunAccess {
 public:
  void add(const std::string& kind, const std::string& fields = "") {
    const std::lock_guard lock(mutex_);
    const uint64_t seq = events_.size() + 1;
    store::StoredEvent event;
    event.seq = seq;
    event.line = fmt::format(
        R"({{"v":1,"seq":{},"run_id":"r","ts":"2026-01-02T03:04:05.000Z","event":"{}"{}}})", seq,
        kind, fields.empty() ? "" : "," + fields);
    events_.push_back(std::move(event));
  }
  Result<std::vector<store::StoredEvent>> events(const std::string&,
                                                 const store::EventQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<store::StoredEvent> page;
    for (const store::StoredEvent& event : events_) {
      if (event.seq > query.after && page.size() < query.limit) page.push_back(event);
    }
    return page;
  }
  [[nodiscard]] std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines;
    for (const store::StoredEvent& event : events_) lines.push_back(event.line);
    return lines;
  }

  Result<std::string> resolve(const std::string&) override { return refuse(); }
  Result<store::RunDetails> run(const std::string&) override { return refuse(); }
  Result<std::vector<flow::RunRow>> list(const store::RunFilter&) override { return refuse(); }
  Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() override {
    return refuse();
  }
  std::unique_ptr<Watch> watch(const std::string&, uint64_t, std::function<void()>) override {
    return nullptr;
  }
  Status cancel(const std::string&, bool, const std::string&) override { return refuse(); }
  Status decide(const Decision& decision) override {
    decided.push_back(decision);
    return {};
  }
  Status see_to(const store::RunDetails&, bool) override { return refuse(); }
  Result<flow::Plan> plan(const engine::RunRequest&) override { return flow::Plan{}; }
  Result<int> start(const engine::RunRequest&, bool) override { return refuse(); }
  Result<int> fork(const engine::ForkRequest&, bool) override { return refuse(); }
  Result<int> go_on(const std::string&, bool) override { return refuse(); }

  std::vector<Decision> decided;

 private:
  static std::unexpected<Error> refuse() { return fail(Code::kInternal, "not part of this test"); }

  std::mutex mutex_;
  std::vector<store::StoredEvent> events_;
};

struct Viewed {
  std::string written;
  ViewModel model;
};

/// Shows the log until it is finished; `while_running` is called once on the loop, between.
Viewed view(LogRuns& store, RunViewConfig config,
            const std::function<void(RunView&)>& while_running = {}) {
  const TestFolder folder;
  const fs::path file = folder.path() / "out";
  const UniqueFd out = *open_file(file, O_RDWR | O_CREAT, 0600);
  config.out_fd = out.get();
  OutputQueue queue(out.get());
  config.out = &queue;
  AsioLoop loop;
  RunView shown(loop, store, ViewModel("r", "p", {{"a", ""}}), std::move(config));
  shown.wake();
  loop.post([&] {
    if (while_running) while_running(shown);
    shown.finish({}, [&] { loop.stop(); });
  });
  loop.run();
  return {read_file(file, 16 << 20).value_or(""), shown.model()};
}

RunViewConfig config_of(ViewMode mode) {
  RunViewConfig config;
  config.mode = mode;
  return config;
}

TEST(RunView, JsonIsTheLogByteForByte) {
  LogRuns store;
  for (int i = 0; i < 2500; ++i) {
    store.add("stream_activity", R"("step":"a","kind":"text","content":"é \u0001")");
  }
  const Viewed viewed = view(store, config_of(ViewMode::kJson));
  EXPECT_EQ(viewed.written, join(store.lines(), "\n") + "\n");
  EXPECT_EQ(viewed.model.last_seq, 2500u);
}

TEST(RunView, FinishShowsWhatCameLast) {
  LogRuns store;
  store.add("run_started");
  const Viewed viewed = view(store, config_of(ViewMode::kPlain), [&store](RunView&) {
    store.add("step_started", R"("step":"a","attempt":1,"reason":"first")");
    store.add("run_completed", R"("status":"success")");
  });
  EXPECT_EQ(viewed.written, "03:04:05 run started\n03:04:05 a: started\n03:04:05 run completed\n");
  EXPECT_EQ(viewed.model.status, "completed");
}

// A new size, a key or an event that comes while the last of it is written asks for one more look.
TEST(RunView, TheClosingWordsAreSaidOnce) {
  LogRuns store;
  store.add("run_started");
  const TestFolder folder;
  const fs::path file = folder.path() / "out";
  const UniqueFd out = *open_file(file, O_RDWR | O_CREAT, 0600);
  RunViewConfig config = config_of(ViewMode::kPlain);
  config.out_fd = out.get();
  OutputQueue queue(out.get());
  config.out = &queue;
  AsioLoop loop;
  RunView shown(loop, store, ViewModel("r", "p", {{"a", ""}}), std::move(config));
  int said = 0;
  loop.post([&] {
    shown.finish(
        [&](const ViewModel&) {
          if (said++ > 0) return "the end, again\n";
          shown.wake();
          std::promise<void> asked_again;
          loop.post([&] { asked_again.set_value(); });
          asked_again.get_future().wait();
          return "the end\n";
        },
        [&] { loop.stop(); });
  });
  loop.run();
  EXPECT_EQ(read_file(file, 4096).value_or(""), "03:04:05 run started\nthe end\n");
}

TEST(RunView, ALostTerminalEndsTheShowingOnly) {
  LogRuns store;
  store.add("run_started");
  const Viewed viewed = view(store, config_of(ViewMode::kJson), [&store](RunView& shown) {
    shown.detach();
    store.add("run_completed", R"("status":"success")");
  });
  EXPECT_THAT(viewed.written, testing::Not(HasSubstr("run_completed")));
  EXPECT_EQ(viewed.model.status, "completed") << "the fold goes on without a terminal";
}

TEST(RunView, AReaderThatGoesAwayDoesNoHarm) {
  ::signal(SIGPIPE, SIG_IGN);
  LogRuns store;
  for (int i = 0; i < 10; ++i) store.add("run_started");
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  AsioLoop loop;
  RunViewConfig config = config_of(ViewMode::kJson);
  config.out_fd = ends[1];
  OutputQueue queue(ends[1]);
  config.out = &queue;
  RunView shown(loop, store, ViewModel("r", "p", {}), std::move(config));
  shown.finish({}, [&] { loop.stop(); });
  loop.run();
  EXPECT_EQ(shown.model().last_seq, 10u);
  ::close(ends[1]);
}

TEST(RunView, AReaderThatStandsStillIsWaitedForUntilItIsGivenUp) {
  LogRuns store;
  for (int i = 0; i < 3000; ++i) {
    store.add("stream_activity",
              fmt::format(R"("step":"a","content":"{}")", std::string(500, 'x')));
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  {
    AsioLoop loop;
    OutputQueue queue(ends[1]);
    RunViewConfig config = config_of(ViewMode::kJson);
    config.out_fd = ends[1];
    config.out = &queue;
    RunView shown(loop, store, ViewModel("r", "p", {}), std::move(config));
    shown.wake();
    loop.post([&] {
      queue.give_up_after(Millis(20));
      shown.finish({}, [&] { loop.stop(); });
    });
    loop.run();
    EXPECT_EQ(shown.model().last_seq, 3000u) << "the fold does not wait for a reader";
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(RunView, LiveDrawsInPlaceAndLeavesTheCursorVisible) {
  LogRuns store;
  store.add("run_started");
  store.add("step_started", R"("step":"a","attempt":1,"visit":1,"reason":"first")");
  const Viewed viewed = view(store, config_of(ViewMode::kLive));
  EXPECT_THAT(viewed.written, HasSubstr("● a"));
  EXPECT_TRUE(viewed.written.ends_with("\x1b[?25h"));
}

TEST(RunView, SilentWritesNothing) {
  LogRuns store;
  store.add("run_started");
  const Viewed viewed = view(store, config_of(ViewMode::kSilent));
  EXPECT_EQ(viewed.written, "");
  EXPECT_EQ(viewed.model.status, "running");
}

}  // namespace
}  // namespace wave::cli
