#include "cli/terminal_keys.h"

#include <algorithm>
#include <utility>

namespace wave::cli {
namespace {

constexpr char kEsc = '\x1b';
constexpr char kBell = '\a';
constexpr char kCancel = '\x18', kSubstitute = '\x1a';  // end a sequence that was begun
constexpr int kPasteBegins = 200, kPasteEnds = 201;
constexpr int kMouseReport = 3;
constexpr int kMostParameter = 9999;

}  // namespace

std::vector<Key> TerminalKeys::read(std::string_view bytes) {
  std::vector<Key> keys;
  for (const char byte : bytes) take(byte, keys);
  return keys;
}

Key TerminalKeys::end_escape() {
  state_ = State::kText;
  return {kEsc, pasting_};
}

void TerminalKeys::take(char byte, std::vector<Key>& keys) {
  if (byte == kCancel || byte == kSubstitute) {
    state_ = State::kText;
    return;
  }
  switch (state_) {
    case State::kText:
      if (byte == kEsc) {
        state_ = State::kEscape;
      } else {
        keys.push_back({byte, pasting_});
      }
      return;
    case State::kEscape:
      begin(byte);
      return;
    case State::kControl:
      control(byte);
      return;
    case State::kSingleShift:
      if (byte < '0' || byte > '?') state_ = byte == kEsc ? State::kEscape : State::kText;
      return;
    case State::kConsole:
      state_ = State::kText;
      return;
    case State::kMouse:
      if (--mouse_bytes_ == 0) state_ = State::kText;
      return;
    case State::kString:
      if (byte == kBell) state_ = State::kText;
      if (byte == kEsc) state_ = State::kStringEscape;
      return;
    case State::kStringEscape:
      state_ = byte == '\\' ? State::kText : State::kString;
      return;
  }
}

void TerminalKeys::begin(char byte) {
  switch (byte) {
    case '[':
      state_ = State::kControl;
      bare_ = counts_ = true;
      parameter_ = 0;
      return;
    case 'O':
      state_ = State::kSingleShift;
      return;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
      state_ = State::kString;
      return;
    case kEsc:
      return;  // Escape twice, or Alt with what follows
    default:
      state_ = State::kText;  // Alt with a key
  }
}

void TerminalKeys::control(char byte) {
  if (byte == kEsc) {
    state_ = State::kEscape;
    return;
  }
  const bool first = std::exchange(bare_, false);
  if (first && byte == '[') {
    state_ = State::kConsole;
    return;
  }
  if (byte >= '0' && byte <= '9') {
    if (counts_) parameter_ = std::min(parameter_ * 10 + (byte - '0'), kMostParameter);
    return;
  }
  counts_ = false;
  if (byte >= ' ' && byte <= '?') return;
  state_ = State::kText;
  if (first && byte == 'M') {
    state_ = State::kMouse;
    mouse_bytes_ = kMouseReport;
  }
  if (byte == '~' && parameter_ == kPasteBegins) pasting_ = true;
  if (byte == '~' && parameter_ == kPasteEnds) pasting_ = false;
}

}  // namespace wave::cli
