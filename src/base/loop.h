// The event loop as the rest of wave sees it: post, timers, readable descriptors, blocking work.
//
// Everything the engine does runs on one loop thread; what blocks runs on the pool and comes back
// by post. Two implementations: AsioLoop (asio_loop.h) and the simulation's. Nothing here includes
// Asio.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace wave {

using Callback = std::move_only_function<void()>;

/// Owned by whoever runs the program. Thread: `post`, `run_blocking` and `run_lengthy` from any,
/// the rest only from the loop's own thread.
class Loop {
 public:
  using TimerId = uint64_t;
  using WatchId = uint64_t;

  virtual ~Loop() = default;

  /// Runs `callback` on the loop thread, after what was posted before it.
  virtual void post(Callback callback) = 0;
  /// Runs `callback` at or after `when`, unless cancelled. The id is never 0.
  virtual TimerId call_at(MonoTime when, Callback callback) = 0;
  virtual void cancel_timer(TimerId timer) = 0;
  /// Runs `callback` whenever `fd` is readable, until unwatch. The descriptor stays the caller's
  /// and must stay open until then.
  virtual WatchId watch_readable(int fd, std::move_only_function<void()> callback) = 0;
  virtual void unwatch(WatchId watch) = 0;
  /// Runs `work` on a thread of the pool, then `done` on the loop thread. `work` is destroyed
  /// before `done` is posted.
  virtual void run_blocking(Callback work, Callback done) = 0;
  /// The same for work that may take seconds or minutes (git, copies of trees): it has threads of
  /// its own, so that short work never waits behind it.
  virtual void run_lengthy(Callback work, Callback done) = 0;

  [[nodiscard]] virtual const Clock& clock() const = 0;
};

}  // namespace wave
