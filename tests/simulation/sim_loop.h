// A loop without threads: callbacks in the order they were posted, timers by a clock that jumps.
#pragma once

#include <deque>
#include <map>

#include "base/loop.h"

namespace wave::sim {

/// Time that only moves when somebody moves it.
class SimClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override;
  [[nodiscard]] MonoTime mono() const override { return mono_; }
  void advance_to(MonoTime when);

 private:
  MonoTime mono_{std::chrono::hours(1)};
};

class SimLoop final : public Loop {
 public:
  explicit SimLoop(SimClock& clock) : clock_(clock) {}

  /// Runs the next callback, or jumps to the next timer and runs that. False when there is nothing.
  bool step();
  /// Whether the next step moves the clock.
  [[nodiscard]] bool about_to_jump() const { return posted_.empty(); }
  [[nodiscard]] bool idle() const { return posted_.empty() && timers_.empty(); }
  [[nodiscard]] size_t pending_timers() const { return timers_.size(); }

  void post(Callback callback) override { posted_.push_back(std::move(callback)); }
  TimerId call_at(MonoTime when, Callback callback) override;
  void cancel_timer(TimerId timer) override;
  WatchId watch_readable(int fd, std::move_only_function<void()> callback) override;
  void unwatch(WatchId watch) override;
  void run_blocking(Callback work, Callback done) override;
  void run_lengthy(Callback work, Callback done) override {
    run_blocking(std::move(work), std::move(done));
  }
  [[nodiscard]] const Clock& clock() const override { return clock_; }

 private:
  SimClock& clock_;
  std::deque<Callback> posted_;
  std::map<std::pair<MonoTime, TimerId>, Callback> timers_;
  TimerId next_ = 1;
};

}  // namespace wave::sim
