// Lines on a terminal that change in place. Pure: gives the bytes to write.
#pragma once

#include <string>
#include <vector>

namespace wave::cli {

/// Remembers what is shown and gives only what differs. Lines must fit the terminal's width.
class LiveScreen {
 public:
  /// `takes_keys`: the terminal is asked to mark what is pasted.
  explicit LiveScreen(bool takes_keys = false) : takes_keys_(takes_keys) {}
  /// Bytes that turn what is shown into `lines`, as one synchronised update; empty when nothing
  /// differs.
  std::string update(const std::vector<std::string>& lines);
  /// Text that stays above the live lines, which are drawn again below it.
  std::string print_above(const std::string& text);
  /// After the terminal changed its size, or a shell had it: neither where things are is known
  /// exactly nor its modes.
  std::string clear();
  /// The lines stay as they are; the cursor goes below them and is visible again.
  std::string finish();

 private:
  bool takes_keys_;
  std::vector<std::string> shown_;
  bool modes_set_ = false;
};

}  // namespace wave::cli
