// Which readers are cut off. A slow one is not a dead one: what counts is what its own kernel has
// acknowledged, not when ours had room again, since ours may hold minutes of a slow reader's work.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace wave::http {

struct PaceLimits {
  Millis stall{60'000};                   // took nothing for so long
  Millis window{600'000};                 // or, over so long,
  uint64_t least_bytes_per_second = 256;  // less than this
};

/// Of one connection with something to take. Thread: one.
class ReaderPace {
 public:
  explicit ReaderPace(const PaceLimits& limits) : limits_(limits) {}

  /// Something waits to be taken; `taken`: what the client has acknowledged until now.
  void begin(MonoTime now, uint64_t taken);
  /// More waits, and nothing did in between: the client is not to blame for the pause.
  void resume(MonoTime now, uint64_t taken);
  /// Looks again; false: the client is cut off.
  [[nodiscard]] bool look(MonoTime now, uint64_t taken);
  /// When to look next.
  [[nodiscard]] MonoTime next_look() const { return next_look_; }

 private:
  const PaceLimits& limits_;
  uint64_t taken_ = 0, taken_at_window_ = 0;
  MonoTime moved_{}, window_began_{}, next_look_{};
};

}  // namespace wave::http
