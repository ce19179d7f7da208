#include "cli/live_screen.h"

#include <gtest/gtest.h>

#include <string_view>

namespace wave::cli {
namespace {

/// As much of a terminal as the screen uses.
class Terminal {
 public:
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t used = take(bytes);
      bytes.remove_prefix(used);
    }
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> shown = rows_;
    while (!shown.empty() && shown.back().empty()) shown.pop_back();
    return shown;
  }
  bool cursor_visible = true;

 private:
  size_t take(std::string_view bytes) {
    if (bytes.starts_with("\r")) return column_ = 0, 1;
    if (bytes.starts_with("\n")) return ++row_, reach(), 1;
    if (!bytes.starts_with("\x1b[")) {
      reach();
      rows_[row_].resize(std::max(rows_[row_].size(), column_ + 1), ' ');
      rows_[row_][column_++] = bytes.front();
      return 1;
    }
    const size_t end = bytes.find_first_of("AJKhlm", 2);
    control(bytes.substr(2, end - 2), bytes[end]);
    return end + 1;
  }
  void control(std::string_view argument, char command) {
    reach();
    if (command == 'A') row_ -= std::stoul(std::string(argument));
    if (command == 'K') rows_[row_].resize(std::min(rows_[row_].size(), column_));
    if (command == 'J') {
      rows_.resize(row_ + 1);
      rows_[row_].resize(std::min(rows_[row_].size(), column_));
    }
    if (argument == "?25") cursor_visible = command == 'h';
  }
  void reach() {
    if (rows_.size() <= row_) rows_.resize(row_ + 1);
  }

  std::vector<std::string> rows_;
  size_t row_ = 0, column_ = 0;
};

using Lines = std::vector<std::string>;

TEST(LiveScreen, ShowsWhateverItIsTold) {
  Terminal terminal;
  LiveScreen screen;
  terminal.write("before\r\n");
  for (const Lines& lines :
       {Lines{"one", "two"}, Lines{"one", "changed and longer"}, Lines{"one", "x", "y", "z"},
        Lines{"short"}, Lines{"short", "again"}}) {
    terminal.write(screen.update(lines));
    Lines expected{"before"};
    expected.insert(expected.end(), lines.begin(), lines.end());
    EXPECT_EQ(terminal.lines(), expected);
  }
  EXPECT_FALSE(terminal.cursor_visible);
  terminal.write(screen.finish());
  EXPECT_TRUE(terminal.cursor_visible);
}

TEST(LiveScreen, WritesNothingWhenNothingChanged) {
  LiveScreen screen;
  EXPECT_FALSE(screen.update({"a", "b"}).empty());
  EXPECT_TRUE(screen.update({"a", "b"}).empty());
  const std::string change = screen.update({"a", "c"});
  EXPECT_EQ(change.find('a'), std::string::npos) << "an unchanged line was written again";
}

TEST(LiveScreen, PrintsAboveTheLiveLines) {
  Terminal terminal;
  LiveScreen screen;
  terminal.write(screen.update({"live", "lines"}));
  terminal.write(screen.print_above("a note\r\n"));
  EXPECT_EQ(terminal.lines(), (Lines{"a note", "live", "lines"}));
}

}  // namespace
}  // namespace wave::cli
