#include "base/stop_after.h"

#include <system_error>

namespace wave {

StopAfter::StopAfter(Millis patience, std::stop_token outer)
    : outer_(std::move(outer), [this] { stop_.request_stop(); }) {
  try {
    thread_ = std::jthread([this, patience](const std::stop_token& over) {
      std::unique_lock lock(mutex_);
      never_.wait_for(lock, over, patience, [] { return false; });
      stop_.request_stop();
    });
  } catch (const std::system_error&) {
    stop_.request_stop();
  }
}

}  // namespace wave
