// Standard output and error of a command.
//
// A command that ends at a signal by default writes directly: a reader that stands still holds it
// up, and a signal ends it. A command that catches signals must not be held up, so there both
// streams are queues with threads of their own. What could not be written to standard output is
// remembered: the command ends with that error, instead of claiming success.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/output_queue.h"

namespace wave::cli {

/// The exit code of a command that has done its work and could not say all of it.
constexpr int kOutputIncomplete = 6;

/// Owned by run_main; what logs or prints ends before it. What is printed and noted keeps its order
/// while both are read. Thread: any.
class Streams {
 public:
  enum class Kind { kDirect, kQueued };
  explicit Streams(Kind kind);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// Standard output. False: nothing that is printed can arrive any more.
  bool print(std::string_view text);
  /// Standard error; failing is no error: there is no place left to say so.
  void note(std::string_view text);
  /// The queue of standard output; kQueued only.
  [[nodiscard]] OutputQueue& output() { return *output_; }

  /// What it means when a reader was given up.
  enum class Unread { kIsAnError, kIsNoError };
  /// A signal asked the command to end: from now on readers are waited for no longer than this.
  void give_up_after(Millis patience, Unread unread = Unread::kIsAnError);
  /// Writes what is left of standard output. An error when something did not reach it and its
  /// reader is not just gone (`wave logs | head` is no error). Standard error ends with this
  /// object.
  Status end_output();

 private:
  std::optional<OutputQueue> output_, error_;
  std::atomic<bool> may_stay_unread_ = false;
  std::mutex mutex_;
  std::optional<Error> failure_;  // kDirect; guarded by mutex_
};

}  // namespace wave::cli
