#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

namespace wave::cli {
namespace {

using Environment = std::map<std::string, std::string>;

std::string value_of(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

bool is_utf8_locale(const Environment& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = to_lower(value_of(environment, name));
    if (value.empty()) continue;
    return value.contains("utf-8") || value.contains("utf8");
  }
  return false;
}

}  // namespace

TerminalFacts terminal_facts(const Environment& environment) {
  TerminalFacts facts;
  const std::string forced = value_of(environment, "WAVE_FORCE_TTY");
  facts.out_is_tty = forced.empty() ? ::isatty(STDOUT_FILENO) == 1 : forced == "1";
  facts.in_is_tty = ::isatty(STDIN_FILENO) == 1;
  const std::string term = value_of(environment, "TERM");
  facts.dumb = term.empty() || term == "dumb";
  facts.no_color = !value_of(environment, "NO_COLOR").empty();
  const std::string ci = value_of(environment, "CI");
  facts.ci = !ci.empty() && ci != "false" && ci != "0";
  facts.unicode = is_utf8_locale(environment) && value_of(environment, "NO_UNICODE").empty();
  return facts;
}

bool wants_colors(const TerminalFacts& facts, bool no_color_option) {
  return facts.out_is_tty && !facts.dumb && !facts.no_color && !no_color_option;
}

bool wants_live_view(const TerminalFacts& facts) {
  return facts.out_is_tty && !facts.dumb && !facts.ci;
}

TerminalSize terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {.width = size.ws_col, .height = size.ws_row};
}

KeyboardMode::KeyboardMode(int fd) : fd_(fd) {
  // In the background, changing the terminal would stop us with SIGTTOU.
  if (::tcgetpgrp(fd_) != ::getpgrp() || ::tcgetattr(fd_, &before_) != 0) return;
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  keys.c_cc[VMIN] = 1;
  keys.c_cc[VTIME] = 0;
  active_ = ::tcsetattr(fd_, TCSADRAIN, &keys) == 0;
}

KeyboardMode::~KeyboardMode() {
  if (active_ && ::tcgetpgrp(fd_) == ::getpgrp()) ::tcsetattr(fd_, TCSADRAIN, &before_);
}

}  // namespace wave::cli
