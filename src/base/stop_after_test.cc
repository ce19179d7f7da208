#include "base/stop_after.h"

#include <gtest/gtest.h>

namespace wave {
namespace {

bool stops(const std::stop_token& token) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!token.stop_requested() && std::chrono::steady_clock::now() < end)
    std::this_thread::yield();
  return token.stop_requested();
}

TEST(StopAfter, AsksWhenTheTimeIsOver) {
  const StopAfter soon(Millis(5));
  EXPECT_TRUE(stops(soon.token()));
}

TEST(StopAfter, AsksWithTheOuterOneAndEndsBeforeItsTime) {
  std::stop_source outer;
  const StopAfter late(std::chrono::hours(1), outer.get_token());
  EXPECT_FALSE(late.token().stop_requested());
  outer.request_stop();
  EXPECT_TRUE(stops(late.token()));
}

}  // namespace
}  // namespace wave
