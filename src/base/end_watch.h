// What asks this process to end, and until when it may take.
//
// A thread of its own hears the signals, because the loop may be busy when they come, and ends the
// process when it has not ended by itself in time. That is safe at any moment, as everything here
// is made to be killed: what was acknowledged is on disk, and what was under way is taken up again.
// State: the pipe that the signal handler writes to belongs to the process and is never closed, as
// a handler may be about to write to it; so there is one watch at a time.
#pragma once

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace wave {

/// How long a process may take to end once nothing more is waited for (promise O1: 5 s), less what
/// the kernel needs to take it down.
inline constexpr Millis kEndPatience{4'500};

/// Owned by whoever ends the process; destroyed after everything that may take long to end. Thread:
/// any.
class EndWatch {
 public:
  using Heard = std::function<void(EndWatch& watch, int signal)>;

  /// Listens to these signals from now on. `heard` is called on the watch's thread; it returns
  /// quickly.
  static Result<std::unique_ptr<EndWatch>> start(std::initializer_list<int> signals, Heard heard);
  /// When the end was under way, the signals are ignored from here on: who asks again has been
  /// heard. Else they do again what they usually do.
  ~EndWatch();
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

  /// Once it has returned, `heard` is not called any more: before what it uses goes away. Not from
  /// `heard`. Signals are swallowed; the deadline stands.
  void stop_hearing();
  /// The process ends with this exit code at `when`, unless it is gone by then. The earliest
  /// counts.
  void end_by(MonoTime when, int exit_code);
  /// The same, kEndPatience from now.
  void end_soon(int exit_code);

 private:
  EndWatch(std::vector<int> signals, Heard heard);
  void run();
  void hear(char byte);
  void end_if_due();

  const std::vector<int> signals_;
  std::mutex heard_mutex_;  // held while heard_ runs
  Heard heard_;             // guarded by heard_mutex_
  std::mutex mutex_;
  MonoTime deadline_ = MonoTime::max();  // guarded by mutex_, like all below
  int exit_code_ = 0;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace wave
