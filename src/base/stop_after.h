// A bound in time for work that looks at a stop token.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.h"

namespace wave {

/// Asks to stop after `patience`, or as soon as `outer` does. Owns the thread that waits. Where no
/// thread can be started it asks at once. Thread: made and destroyed by one; the token is for all.
class StopAfter {
 public:
  explicit StopAfter(Millis patience, std::stop_token outer = {});
  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable_any never_;  // only its waits end
  std::stop_callback<std::function<void()>> outer_;
  std::jthread thread_;  // last: ends first
};

}  // namespace wave
