// Bytes on their way to a descriptor whose reader may be slow, stand still, or go away: a pipe that
// nobody reads, a terminal held by Ctrl-S.
//
// Invariant: only the queue's own thread writes to the descriptor, so nobody else can be held up by
// its reader. What waits to be written is bounded; who has more either loses it, counted (`offer`),
// or waits for room (`write`). `give_up_after` bounds every such wait, and the end of the thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"

namespace wave {

struct OutputQueueOptions {
  size_t bound = 256 << 10;  // bytes that wait at most; one larger piece may wait alone
  /// For logs: a failed write loses its bytes, and the next ones are tried all the same. Without
  /// it the first failure is the last: a gap in a result would go unnoticed.
  bool outlives_failures = false;
  /// Says that so many pieces were lost; written once there is room again. Empty: nothing is said.
  /// Called on the queue's thread with none of its locks held.
  std::function<std::string(uint64_t)> lost{};
  bool reopens = true;  // tests: false is what happens where the file cannot be opened again
};

/// Owned by the command. The descriptor stays the caller's. Thread: any, but destruction and end.
class OutputQueue {
 public:
  /// Starts no thread before the first bytes.
  explicit OutputQueue(int fd, OutputQueueOptions options = {});
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  /// Takes all of it, or, when there is no room, none; never waits. What is not taken is counted.
  bool offer(std::string_view bytes);
  /// Waits for room. An error: the reader is gone, a write failed, or it was given up.
  Status write(std::string_view bytes);
  /// Waits until everything taken has been written. Errors as above.
  Status flush();
  /// The same for a moment: so that what is written elsewhere next stands behind it. False: its
  /// reader takes longer, or has left something unread before.
  bool settle(Millis most);
  /// From now on nobody waits longer than this, all in all; what its reader has no room for then is
  /// lost.
  void give_up_after(Millis patience);
  /// Flushes and ends the thread. Nothing is taken afterwards.
  Status end();

  /// Whether bytes wait to be written.
  [[nodiscard]] bool is_behind() const;
  /// Why nothing more is written; ok while something is.
  [[nodiscard]] Status status() const;

 private:
  using Time = std::chrono::steady_clock::time_point;

  bool start();
  bool wait(std::unique_lock<std::mutex>& lock, const std::function<bool()>& ready);
  void run();
  void write_pending(std::unique_lock<std::mutex>& lock);
  void say_what_was_lost(std::unique_lock<std::mutex>& lock);
  int put(std::string_view bytes, size_t& written);
  bool wait_writable();
  [[nodiscard]] ssize_t write_some(std::string_view bytes) const;
  [[nodiscard]] int poll_timeout() const;
  void end_thread();

  const int fd_;
  const OutputQueueOptions options_;
  UniqueFd wake_;  // an eventfd: the deadline has changed
  UniqueFd own_;   // the descriptor's file, opened again without blocking, where that can be done
  bool is_socket_ = false;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::string pending_;
  size_t waiting_bytes_ = 0;  // pending_ and what the thread has taken of it
  uint64_t lost_ = 0;         // pieces, not yet said
  bool started_ = false, ending_ = false, done_ = false;
  bool line_is_open_ = false;  // a failed write may have left half a line
  std::optional<Error> failure_;
  std::optional<Time> deadline_;
  std::thread thread_;
};

}  // namespace wave
