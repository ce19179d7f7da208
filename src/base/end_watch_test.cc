#include "base/end_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <thread>

namespace wave {
namespace {

constexpr std::chrono::seconds kTestPatience{30};

bool comes_true(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kTestPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(Millis(1));
  }
  return true;
}

TEST(EndWatch, HearsSignalsWhileEverybodyElseIsBusy) {
  std::atomic<int> last = 0;
  const auto watch =
      EndWatch::start({SIGUSR1, SIGUSR2}, [&](EndWatch&, int signal) { last = signal; });
  ASSERT_TRUE(watch.has_value());
  ::raise(SIGUSR1);
  EXPECT_TRUE(comes_true([&] { return last == SIGUSR1; }));
  ::raise(SIGUSR2);
  EXPECT_TRUE(comes_true([&] { return last == SIGUSR2; }));
}

TEST(EndWatch, SwallowsSignalsOnceNobodyHears) {
  std::atomic<int> heard = 0;
  auto watch = EndWatch::start({SIGUSR1}, [&](EndWatch&, int) { ++heard; });
  ASSERT_TRUE(watch.has_value());
  (*watch)->stop_hearing();
  ::raise(SIGUSR1);
  (*watch)->end_by(std::chrono::steady_clock::now() + kTestPatience, 1);
  watch->reset();
  ::raise(SIGUSR1);  // would end the process by its default
  EXPECT_EQ(heard, 0);
  ::signal(SIGUSR1, SIG_DFL);
}

TEST(EndWatch, LeavesSignalsAsTheyUsuallyAreWhenNothingEnds) {
  auto watch = EndWatch::start({SIGUSR1}, [](EndWatch&, int) {});
  ASSERT_TRUE(watch.has_value());
  watch->reset();
  struct sigaction now{};
  ::sigaction(SIGUSR1, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
}

TEST(EndWatch, EndsWhatDoesNotEndByItself) {
  EXPECT_EXIT(
      {
        const auto watch = EndWatch::start({SIGUSR1}, [](EndWatch& self, int) {
          self.end_by(std::chrono::steady_clock::now(), 7);
        });
        ::raise(SIGUSR1);
        std::this_thread::sleep_for(kTestPatience);  // the thing that does not end
      },
      ::testing::ExitedWithCode(7), "took too long");
}

TEST(EndWatch, TheEarliestDeadlineCounts) {
  EXPECT_EXIT(
      {
        const auto watch = EndWatch::start({SIGUSR1}, [](EndWatch&, int) {});
        const auto now = std::chrono::steady_clock::now();
        (*watch)->end_by(now + Millis(1), 3);
        (*watch)->end_by(now + kTestPatience, 4);
        std::this_thread::sleep_for(kTestPatience);
      },
      ::testing::ExitedWithCode(3), "");
}

}  // namespace
}  // namespace wave
