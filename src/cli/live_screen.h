// Lines on a terminal that change in place. Pure: gives the bytes to write.
#pragma once

#include <string>
#include <vector>

namespace wave::cli {

/// Remembers what is shown and gives only what differs. Lines must fit the terminal's width.
class LiveScreen {
 public:
  /// Bytes that turn what is shown into `lines`, as one synchronised update; empty when nothing
  /// differs.
  std::string update(const std::vector<std::string>& lines);
  /// Text that stays above the live lines, which are drawn again below it.
  std::string print_above(const std::string& text);
  /// After the terminal changed its size: where things are is no longer known exactly.
  std::string clear();
  /// The lines stay as they are; the cursor goes below them and is visible again.
  std::string finish();

 private:
  std::vector<std::string> shown_;
  bool cursor_hidden_ = false;
};

}  // namespace wave::cli
