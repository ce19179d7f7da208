// Text that a program prints without a format, as activity: whole lines, in bounded excerpts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/adapter.h"

namespace wave::agent {

/// One stream. Gathers until a line is complete, then gives one activity for all the lines that the
/// fed bytes completed: so the rate of activities is that of the reads, not that of the lines.
class PlainOutput {
 public:
  /// Of each activity's content; the rest is in the spool.
  static constexpr size_t kMaxExcerpt = 2 << 10;

  /// `is_progress`: whether printing something counts as progress for the stall watchdog.
  PlainOutput(std::string stream, bool is_progress)
      : stream_(std::move(stream)), is_progress_(is_progress) {}
  void feed(std::string_view bytes, std::vector<Activity>& activity);
  /// Passes over bytes that were not read. The next activity covers them.
  void skip(uint64_t bytes) { position_ += bytes; }
  /// What stands behind the last newline.
  void finish(std::vector<Activity>& activity);

  [[nodiscard]] json::object save() const;
  void restore(const json::object& state);

 private:
  void emit(uint64_t length, std::vector<Activity>& activity);

  std::string stream_;
  bool is_progress_;
  std::string excerpt_;    // the start of what has not been given yet, at most kMaxExcerpt
  uint64_t position_ = 0;  // of the next byte in the stream
  uint64_t start_ = 0;     // of the first byte that has not been given yet
};

}  // namespace wave::agent
