// The events that load tests send: of one size, and each tells when it was made.
#pragma once

#include <fmt/core.h>

#include <chrono>
#include <string>

namespace wave::bench {

constexpr size_t kEventBytes = 200;  // as a short line of an agent's output

inline int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// "data: <nanoseconds>,....\n\n"; the clock is that of all processes of the machine.
inline std::string make_event(int64_t made_ns) {
  std::string text = fmt::format("data: {},", made_ns);
  text.resize(kEventBytes - 2, '.');
  return text + "\n\n";
}

}  // namespace wave::bench
