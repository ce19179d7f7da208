#include "cli/live_screen.h"

#include <fmt/format.h>

namespace wave::cli {
namespace {

// DEC private mode 2026: the terminal shows everything between the two at once. Terminals that do
// not know it ignore it.
constexpr std::string_view kBeginUpdate = "\x1b[?2026h";
constexpr std::string_view kEndUpdate = "\x1b[?2026l";
constexpr std::string_view kHideCursor = "\x1b[?25l";
constexpr std::string_view kShowCursor = "\x1b[?25h";
// A terminal that knows it says what is pasted.
constexpr std::string_view kTellPastes = "\x1b[?2004h";
constexpr std::string_view kTellNoPastes = "\x1b[?2004l";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

std::string up(size_t lines) {
  return lines == 0 ? "" : fmt::format("\x1b[{}A", lines);
}

}  // namespace

std::string LiveScreen::update(const std::vector<std::string>& lines) {
  if (lines == shown_) return {};
  std::string bytes(kBeginUpdate);
  if (!modes_set_) {
    bytes += kHideCursor;
    if (takes_keys_) bytes += kTellPastes;
  }
  modes_set_ = true;
  // The cursor rests at the start of the line below the last one.
  bytes += up(shown_.size()) + "\r";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i >= shown_.size() || shown_[i] != lines[i]) {
      bytes += lines[i];
      bytes += kClearLine;
    }
    bytes += "\r\n";
  }
  if (shown_.size() > lines.size()) bytes += kClearBelow;
  bytes += kEndUpdate;
  shown_ = lines;
  return bytes;
}

std::string LiveScreen::print_above(const std::string& text) {
  const std::vector<std::string> lines = shown_;
  return clear() + text + update(lines);
}

std::string LiveScreen::clear() {
  std::string bytes = up(shown_.size()) + "\r" + std::string(kClearBelow);
  shown_.clear();
  modes_set_ = false;
  return bytes;
}

std::string LiveScreen::finish() {
  shown_.clear();
  if (!modes_set_) return {};
  modes_set_ = false;
  std::string bytes(kShowCursor);
  if (takes_keys_) bytes += kTellNoPastes;
  return bytes;
}

}  // namespace wave::cli
