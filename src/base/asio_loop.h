// The production loop: Asio's io_context with one loop thread (the one that calls run) and a small
// pool for what blocks.
#pragma once

#include <memory>

#include "base/loop.h"

namespace wave {

class AsioLoop final : public Loop {
 public:
  /// Starts no thread until run_blocking or run_lengthy is first used; each has `pool_threads`.
  explicit AsioLoop(int pool_threads = 4);
  ~AsioLoop() override;

  /// Runs callbacks until stop (at once, if that came before). Call it from the thread that is to
  /// be the loop thread. It can be run again afterwards, until close.
  void run();
  /// Makes run return soon; what was posted and has not run is dropped by close. Thread: any.
  void stop();
  /// Waits for the work of both pools that was given to it, and takes no more.
  void end_blocking();
  /// end_blocking, and destroys every callback that has not run, so that what they hold goes while
  /// everything else is still there. Later ones are destroyed unseen. Not while the loop runs, and
  /// not from a callback.
  void close();
  void post(Callback callback) override;
  TimerId call_at(MonoTime when, Callback callback) override;
  void cancel_timer(TimerId timer) override;
  WatchId watch_readable(int fd, std::move_only_function<void()> callback) override;
  void unwatch(WatchId watch) override;
  void run_blocking(Callback work, Callback done) override;
  void run_lengthy(Callback work, Callback done) override;
  [[nodiscard]] const Clock& clock() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave
