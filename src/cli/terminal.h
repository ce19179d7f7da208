// The terminal: whether there is one, how large it is, and the keyboard while a gate waits.
#pragma once

#include <termios.h>

#include <map>
#include <string>

namespace wave::cli {

/// What decides how much can be shown. Read once; the decisions below are pure.
struct TerminalFacts {
  bool out_is_tty = false;
  bool in_is_tty = false;
  bool dumb = false;      // TERM is dumb or not set
  bool no_color = false;  // NO_COLOR is set and not empty (no-color.org)
  bool ci = false;        // CI is set: a terminal that nobody watches
  bool unicode = true;    // the locale's character set is UTF-8, and NO_UNICODE is not set
};

/// WAVE_FORCE_TTY=1 or 0 overrides what the descriptors say.
TerminalFacts terminal_facts(const std::map<std::string, std::string>& environment);
bool wants_colors(const TerminalFacts& facts, bool no_color_option);
/// Whether `run` can draw its live view.
bool wants_live_view(const TerminalFacts& facts);

struct TerminalSize {
  int width = 80;
  int height = 24;
};
TerminalSize terminal_size(int fd);

/// Single keys instead of lines, without echo, for as long as the object lives; Ctrl-C stays a
/// signal.
class KeyboardMode {
 public:
  explicit KeyboardMode(int fd);
  ~KeyboardMode();
  KeyboardMode(const KeyboardMode&) = delete;
  KeyboardMode& operator=(const KeyboardMode&) = delete;
  [[nodiscard]] bool active() const { return active_; }

 private:
  int fd_;
  bool active_ = false;
  termios before_{};
};

}  // namespace wave::cli
