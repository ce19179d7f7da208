// The events that loads send: each says which one it is and when it was made.
#pragma once

#include <fmt/core.h>

#include <chrono>
#include <string>

namespace wave::bench {

constexpr size_t kEventBytes = 200;  // as a short line of an agent's output

/// The clock is that of all processes of the machine.
inline int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// What an event with this number carries, wherever it stands in a stream.
inline std::string event_mark(uint64_t number) {
  return fmt::format("n={:010} t=", number);
}
inline std::string event_text(uint64_t number, int64_t made_ns) {
  return fmt::format("{}{};", event_mark(number), made_ns);
}

/// "data: <text>....\n\n"
inline std::string make_event(uint64_t number, int64_t made_ns, size_t bytes = kEventBytes) {
  std::string text = "data: " + event_text(number, made_ns);
  text.resize(bytes - 2, '.');
  return text + "\n\n";
}

}  // namespace wave::bench
