#include <gtest/gtest.h>

#include "base/asio_loop.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
namespace wave {
TEST(Clock, FormatsAndParses) {
  const auto t = parse_time("2026-11-23T17:48:08.123Z");
  ASSERT_TRUE(t);
  EXPECT_EQ(format_time(*t), "2026-11-23T17:48:08.123Z");
  EXPECT_EQ(parse_duration("1h30m")->count(), 5400000);
}
}  // namespace wave
