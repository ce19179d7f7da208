// Time. Two clocks: the wall clock for what people and other processes see, a monotonic one for
// durations and deadlines within this process. Both can be replaced (simulation, tests).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wave {

using Millis = std::chrono::milliseconds;
/// Milliseconds since the Unix epoch, UTC.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Millis>;
using MonoTime = std::chrono::steady_clock::time_point;

/// Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual MonoTime mono() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonoTime mono() const override;
};

/// "2026-11-23T17:48:08.123Z" (RFC 3339, UTC, milliseconds).
std::string format_time(WallTime time);
/// Reads what format_time writes, and other RFC 3339 times with any offset.
std::optional<WallTime> parse_time(std::string_view text);
/// "850ms", "12.3s", "4m 05s", "2h 03m": for people.
std::string format_duration(Millis duration);
/// Reads Go-style durations as upstream does ("1h30m", "200ms", "1.5s"), and plain days ("7d").
Result<Millis> parse_duration(std::string_view text);

}  // namespace wave
