// The production loop: Asio's io_context with one loop thread (the one that calls run) and a small
// pool for what blocks.
#pragma once

#include <memory>

#include "base/loop.h"

namespace wave {

class AsioLoop final : public Loop {
 public:
  /// Starts no thread until run_blocking is first used.
  explicit AsioLoop(int pool_threads = 4);
  ~AsioLoop() override;

  /// Runs callbacks until stop (at once, if that came before). Call it from the thread that is to
  /// be the loop thread. It can be run again afterwards.
  void run();
  /// Makes run return soon; what was posted and has not run is dropped at destruction. Thread: any.
  void stop();
  /// Waits for the work of run_blocking that was given to it, and takes no more: before what that
  /// work uses goes away, where it goes before the loop.
  void end_blocking();
  /// Runs `callback` with the number of each signal caught from `signals`, on the loop thread.
  void on_signals(std::initializer_list<int> signals, std::move_only_function<void(int)> callback);

  void post(Callback callback) override;
  TimerId call_at(MonoTime when, Callback callback) override;
  void cancel_timer(TimerId timer) override;
  WatchId watch_readable(int fd, std::move_only_function<void()> callback) override;
  void unwatch(WatchId watch) override;
  void run_blocking(Callback work, Callback done) override;
  [[nodiscard]] const Clock& clock() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave
