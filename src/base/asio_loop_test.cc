#include "base/asio_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace wave {
namespace {

/// Posts when it is destroyed, as owners of runs do.
struct PostsWhenItGoes {
  AsioLoop* loop;
  std::atomic<int>* gone;
  ~PostsWhenItGoes() {
    ++*gone;
    loop->post([] {});
  }
};

TEST(AsioLoop, CloseDestroysWhatWasPostedWhileTheLoopStillAnswers) {
  std::atomic<int> gone = 0;
  AsioLoop loop(2);
  const auto hold = [&] { return std::make_shared<PostsWhenItGoes>(&loop, &gone); };
  loop.post([held = hold()] {});
  loop.call_at(loop.clock().mono() + std::chrono::hours(1), [held = hold()] {});
  loop.run_blocking([held = hold()] {}, [held = hold()] {});
  loop.close();
  EXPECT_EQ(gone, 4);
}

TEST(AsioLoop, NothingRunsOrStaysAfterClose) {
  std::atomic<int> gone = 0;
  bool ran = false;
  AsioLoop loop(2);
  loop.close();
  loop.post([&, held = std::make_shared<PostsWhenItGoes>(&loop, &gone)] { ran = true; });
  loop.call_at(loop.clock().mono(), [&] { ran = true; });
  loop.run_blocking([&] { ran = true; }, [&] { ran = true; });
  loop.stop();
  loop.run();
  EXPECT_FALSE(ran);
  EXPECT_EQ(gone, 1);
}

TEST(AsioLoop, OthersMayPostWhileItCloses) {
  for (int round = 0; round < 20; ++round) {
    AsioLoop loop(1);
    std::atomic<bool> ends = false;
    std::thread poster([&] {
      while (!ends) loop.post([] {});
    });
    loop.close();
    ends = true;
    poster.join();
  }
}

}  // namespace
}  // namespace wave
