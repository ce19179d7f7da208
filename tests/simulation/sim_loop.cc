#include "sim_loop.h"

#include <cstdlib>

namespace wave::sim {

WallTime SimClock::wall() const {
  // 2026-01-01 and on.
  return WallTime(Millis(1'767'225'600'000)) +
         std::chrono::duration_cast<Millis>(mono_.time_since_epoch());
}

void SimClock::advance_to(MonoTime when) {
  mono_ = std::max(mono_, when);
}

bool SimLoop::step() {
  if (!posted_.empty()) {
    Callback callback = std::move(posted_.front());
    posted_.pop_front();
    callback();
    return true;
  }
  if (timers_.empty()) return false;
  auto first = timers_.extract(timers_.begin());
  clock_.advance_to(first.key().first);
  first.mapped()();
  return true;
}

Loop::TimerId SimLoop::call_at(MonoTime when, Callback callback) {
  const TimerId id = next_++;
  timers_.emplace(std::pair(when, id), std::move(callback));
  return id;
}

void SimLoop::cancel_timer(TimerId timer) {
  std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
}

// Nothing of the engine watches descriptors itself: the world does, and that is replaced.
Loop::WatchId SimLoop::watch_readable(int, std::move_only_function<void()>) {
  std::abort();
}
void SimLoop::unwatch(WatchId) {
  std::abort();
}

void SimLoop::run_blocking(Callback work, Callback done) {
  post([this, work = std::move(work), done = std::move(done)]() mutable {
    std::exchange(work, nullptr)();
    post(std::move(done));
  });
}

}  // namespace wave::sim
