#include "http/reader_pace.h"

#include <gtest/gtest.h>

namespace wave::http {
namespace {

using std::chrono::seconds;

class PaceOfReaders : public testing::Test {
 protected:
  /// Takes `bytes` every `every`; after how long the reader is cut off, or nothing within `most`.
  std::optional<seconds> cut_after(uint64_t bytes, seconds every, seconds most) {
    const MonoTime start{seconds(1000)};
    ReaderPace pace(limits_);
    pace.begin(start, 0);
    uint64_t taken = 0;
    for (seconds at{1}; at <= most; ++at) {
      if (at.count() % every.count() == 0) taken += bytes;
      if (start + at >= pace.next_look() && !pace.look(start + at, taken)) return at;
    }
    return std::nullopt;
  }

  PaceLimits limits_;
};

TEST_F(PaceOfReaders, WhoTakesNothingIsCutAfterAMinute) {
  EXPECT_EQ(cut_after(0, seconds(1), seconds(3600)), seconds(60));
}

TEST_F(PaceOfReaders, SlowIsNotDead) {
  EXPECT_EQ(cut_after(2'000, seconds(1), seconds(36'000)), std::nullopt);
  // In few large steps, as kernels acknowledge what slow programs read.
  EXPECT_EQ(cut_after(64 << 10, seconds(50), seconds(36'000)), std::nullopt);
  EXPECT_EQ(cut_after(256, seconds(1), seconds(36'000)), std::nullopt);
}

TEST_F(PaceOfReaders, NextToNothingIsCutAfterTenMinutes) {
  EXPECT_EQ(cut_after(100, seconds(1), seconds(3600)), seconds(600));
  EXPECT_EQ(cut_after(1, seconds(30), seconds(3600)), seconds(600));
}

TEST_F(PaceOfReaders, APauseOfOursIsNotTheClients) {
  const MonoTime start{seconds(1000)};
  ReaderPace pace(limits_);
  pace.begin(start, 0);
  EXPECT_TRUE(pace.look(start + seconds(50), 0));
  pace.resume(start + seconds(100), 0);
  EXPECT_TRUE(pace.look(start + seconds(150), 0));
  EXPECT_FALSE(pace.look(start + seconds(160), 0));
}

}  // namespace
}  // namespace wave::http
