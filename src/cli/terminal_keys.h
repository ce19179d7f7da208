// What a person types on a terminal, apart from what the terminal says itself: function keys, mouse
// reports, answers to questions come as escape sequences, and none of their bytes is a key stroke.
#pragma once

#include <string_view>
#include <vector>

namespace wave::cli {

struct Key {
  char byte = 0;        // of UTF-8; Escape is 0x1b
  bool pasted = false;  // nobody pressed it

  bool operator==(const Key&) const = default;
};

/// Splits what is read (ECMA-48, 5.4; xterm's "bracketed paste" and X10 mouse reports). Sequences
/// are left out, also those that it does not know, however their bytes arrive. Keeps no bytes of
/// them, so it needs no bound.
class TerminalKeys {
 public:
  std::vector<Key> read(std::string_view bytes);
  /// Whether an Escape was read that may begin a sequence. When nothing follows within a moment it
  /// was the key: see end_escape.
  [[nodiscard]] bool is_undecided() const { return state_ == State::kEscape; }
  /// Nothing followed.
  Key end_escape();

 private:
  enum class State {
    kText,
    kEscape,        // ESC
    kControl,       // ESC [ ...
    kConsole,       // ESC [ [: one more, a function key of Linux's console
    kSingleShift,   // ESC O
    kMouse,         // ESC [ M: three more
    kString,        // ESC ] and others, until BEL or ESC backslash
    kStringEscape,  // ESC within one
  };
  void take(char byte, std::vector<Key>& keys);
  void begin(char byte);
  void control(char byte);

  State state_ = State::kText;
  bool pasting_ = false;
  bool bare_ = true;    // of a control sequence: no parameters yet
  int parameter_ = 0;   // its first one; large ones are cut
  bool counts_ = true;  // the first parameter goes on
  int mouse_bytes_ = 0;
};

}  // namespace wave::cli
