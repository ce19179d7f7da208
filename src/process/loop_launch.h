// A launch on the loop, which never waits for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/loop.h"
#include "process/launching.h"

namespace wave::process {

/// Owned by whoever wants the process. Destroying it lets go: what it asked for may start all the
/// same, and is found by its folder. Thread: loop.
class LoopLaunch {
 public:
  using Done = std::function<void(Result<HostMeta>)>;

  /// `done` is called once, never within this call, and may destroy the object. Errors as of
  /// Launcher::launch; those that are known at once are returned.
  static Result<std::unique_ptr<LoopLaunch>> begin(Loop& loop, Launcher& launcher,
                                                   const HostRequest& request, Done done);
  LoopLaunch(const LoopLaunch&) = delete;
  LoopLaunch& operator=(const LoopLaunch&) = delete;
  ~LoopLaunch();

 private:
  LoopLaunch(Loop& loop, Launching launching, Done done);
  void arm();
  void disarm();
  void look();

  Loop& loop_;
  Launching launching_;
  Done done_;
  Loop::WatchId watch_ = 0;
  Loop::TimerId timer_ = 0;
};

}  // namespace wave::process
