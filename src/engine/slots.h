// Where runs get the right to run at the same time as others. A server's queue is one such source;
// a command line has none: its run goes on when it can.
#pragma once

#include <functional>
#include <string>

namespace wave::engine {

/// Thread: the loop's. What it is told comes from within the engine's calls: it answers later
/// (post), or by `granted` alone.
class SlotSource {
 public:
  using Granted = std::function<void()>;

  virtual ~SlotSource() = default;
  /// The run wants a slot: `granted` is called once it has one, within this call or later. Asking
  /// again takes the place of what was asked before.
  virtual void acquire(const std::string& run_id, bool resuming, Granted granted) = 0;
  /// A run that is running has been taken up: it has its slot, whether one was free or not.
  virtual void occupy(const std::string& run_id) = 0;
  /// The run waits, has ended, or does not want one any more; `why`: what it waits for (gate,
  /// timer, rate_limit), if it does. It may hold none.
  virtual void release(const std::string& run_id, const std::string& why) = 0;
};

}  // namespace wave::engine
