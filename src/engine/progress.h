// Saying now and then that work on the pool still goes on, so that a long one does not look like a
// stall.
#pragma once

#include <functional>
#include <string_view>

#include "base/json.h"
#include "base/loop.h"

namespace wave::engine {

/// Owned by the operation whose work it is. Thread: the loop's.
class Progress {
 public:
  using Say = std::function<void(Millis so_far)>;

  Progress() = default;
  ~Progress() { end(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Calls `say` after a few seconds, and then again and again, until the end.
  void begin(Loop& loop, Say say);
  void end();

 private:
  void arm(MonoTime when);

  Loop* loop_ = nullptr;
  Say say_;
  MonoTime began_{};
  Loop::TimerId timer_ = 0;
};

/// What a stream_activity event says of it.
json::object progress_data(std::string_view what, Millis so_far);

}  // namespace wave::engine
