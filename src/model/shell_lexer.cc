#include "model/shell_lexer.h"

#include <algorithm>
#include <array>

namespace wave::model {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_operator(char c) {
  return c == ';' || c == '&' || c == '|' || c == '(' || c == ')' || c == '<' || c == '>' ||
         c == '\n';
}

// Reserved words behind which another command starts.
bool starts_command(std::string_view word) {
  static constexpr std::array<std::string_view, 9> kWords = {"if",    "then",  "else", "elif", "do",
                                                             "while", "until", "{",    "!"};
  return std::ranges::find(kWords, word) != kWords.end();
}

}  // namespace

void ShellLexer::feed(std::string_view text) {
  for (const char c : text) take(c);
}

void ShellLexer::feed_word() {
  escaped_ = false;
  dollar_ = false;
  dollar_parens_ = 0;
  less_ = 0;
  if (in_body_) {
    line_ += '\1';
    continued_ = false;
  } else if (reading_delimiter_) {
    take_heredoc_delimiter('\1');
  } else if (top().level == Level::kCode) {
    top().word += '\1';
    top().word_start = false;
  }
}

ShellLexer::Context ShellLexer::context() const {
  if (in_body_) return Context::kHeredoc;
  if (reading_delimiter_ || less_ == 2) return Context::kHeredocDelimiter;
  // The innermost thing that is not plain quoting decides; quotes count only at the script's level.
  for (size_t i = 1; i < frames_.size(); ++i) {
    switch (frames_[i].level) {
      case Level::kCode:
        return Context::kCommandSubstitution;
      case Level::kBackquote:
        return Context::kBackquotes;
      case Level::kArithmetic:
        return Context::kArithmetic;
      case Level::kParameter:
        return Context::kParameter;
      case Level::kComment:
        return Context::kComment;
      default:
        break;
    }
  }
  if (dollar_parens_ > 0) return Context::kCommandSubstitution;
  if (escaped_ || dollar_) return Context::kEscaped;
  switch (frames_.back().level) {
    case Level::kDouble:
      return Context::kDoubleQuotes;
    case Level::kSingle:
      return Context::kSingleQuotes;
    default:
      return Context::kBare;
  }
}

bool ShellLexer::complete() const {
  if (frames_.size() == 2 && frames_.back().level == Level::kComment) return true;
  return frames_.size() == 1 && !in_body_ && pending_.empty() && dollar_parens_ == 0;
}

void ShellLexer::open(Level level) {
  Frame frame;
  frame.level = level;
  const Level outer = top().level;
  frame.in_double = outer == Level::kDouble || (outer == Level::kParameter && top().in_double);
  frames_.push_back(std::move(frame));
}

void ShellLexer::close() {
  if (frames_.size() > 1) frames_.pop_back();
  if (top().level == Level::kCode) {
    top().word += '\1';
    top().word_start = false;
  }
}

void ShellLexer::take(char c) {
  if (in_body_) return take_heredoc_body(c);
  if (dollar_parens_ > 0) {
    // "$((" opens arithmetic, "$(" followed by anything else a command substitution.
    dollar_parens_ = 0;
    if (c == '(') return open(Level::kArithmetic);
    open(Level::kCode);
  }
  if (dollar_) {
    dollar_ = false;
    if (c == '(') {
      dollar_parens_ = 1;
      return;
    }
    if (c == '{') return open(Level::kParameter);
    if (c == '#' || c == '$' || c == '?' || c == '!' || c == '*' || c == '@' || c == '-') {
      if (top().level == Level::kCode) top().word_start = false;
      return;
    }
  }
  if (escaped_) {
    escaped_ = false;
    if (top().level == Level::kCode && c != '\n') {
      top().word += '\1';
      top().word_start = false;
    }
    return;
  }
  switch (top().level) {
    case Level::kCode:
      return take_code(c);
    case Level::kDouble:
      return take_double(c);
    case Level::kSingle:
      if (c == '\'') close();
      return;
    case Level::kComment:
      if (c != '\n') return;
      frames_.pop_back();
      return take_code(c);
    case Level::kBackquote:
      if (c == '\\') {
        escaped_ = true;
      } else if (c == '`') {
        close();
      }
      return;
    case Level::kArithmetic:
      return take_arithmetic(c);
    case Level::kParameter:
      return take_parameter(c);
  }
}

// The word that just ended, if it says where commands and case clauses begin and end.
void ShellLexer::end_word() {
  Frame& frame = top();
  if (frame.word.empty()) return;
  if (frame.command_position) {
    if (frame.word == "case") ++frame.cases;
    if (frame.word == "esac" && frame.cases > 0) --frame.cases;
    frame.command_position = starts_command(frame.word);
  } else if (frame.word == "in" && frame.cases > 0) {
    frame.command_position = true;  // "case x in esac"
  }
  frame.word.clear();
}

void ShellLexer::take_code(char c) {
  if (reading_delimiter_) return take_heredoc_delimiter(c);
  if (c == '<') {
    ++less_;
    end_word();
    top().word_start = true;
    return;
  }
  if (less_ == 2) {
    less_ = 0;
    heredoc_ = {};
    reading_delimiter_ = true;
    delimiter_started_ = false;
    delimiter_quote_ = 0;
    if (c == '-') {
      heredoc_.strip_tabs = true;
      return;
    }
    return take_heredoc_delimiter(c);
  }
  less_ = 0;
  Frame& frame = top();
  if (c == '\\') {
    escaped_ = true;
    return;
  }
  if (c == '\'') return open(Level::kSingle);
  if (c == '"') return open(Level::kDouble);
  if (c == '`') return open(Level::kBackquote);
  if (c == '$') {
    dollar_ = true;
    frame.word += c;
    frame.word_start = false;
    return;
  }
  if (c == '#' && frame.word_start) return open(Level::kComment);
  if (is_blank(c)) {
    end_word();
    frame.word_start = true;
    return;
  }
  if (!is_operator(c)) {
    frame.word += c;
    frame.word_start = false;
    return;
  }
  end_word();
  frame.word_start = true;
  if (c != '>') frame.command_position = true;
  if (c == '(') ++frame.parens;
  if (c == ')') {
    if (frame.parens > 0) {
      --frame.parens;
    } else if (frame.cases == 0 && frames_.size() > 1) {
      return close();
    }
  }
  if (c == '\n' && !pending_.empty()) {
    in_body_ = true;
    line_.clear();
    continued_ = false;
  }
}

void ShellLexer::take_double(char c) {
  if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    close();
  } else if (c == '$') {
    dollar_ = true;
  } else if (c == '`') {
    open(Level::kBackquote);
  }
}

void ShellLexer::take_parameter(char c) {
  if (c == '\\') {
    escaped_ = true;
  } else if (c == '}') {
    close();
  } else if (c == '"') {
    open(Level::kDouble);
  } else if (c == '\'' && !top().in_double) {
    open(Level::kSingle);
  } else if (c == '$') {
    dollar_ = true;
  } else if (c == '`') {
    open(Level::kBackquote);
  }
}

void ShellLexer::take_arithmetic(char c) {
  // `parens` counts what is open inside; the two that end it are counted below zero.
  if (c == '(') {
    ++top().parens;
  } else if (c == ')') {
    if (--top().parens == -2) close();
  } else if (c == '$') {
    dollar_ = true;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '`') {
    open(Level::kBackquote);
  }
}

void ShellLexer::take_heredoc_delimiter(char c) {
  if (delimiter_quote_ == '\\') {
    delimiter_quote_ = 0;
    if (c != '\n') heredoc_.delimiter += c;
    return;
  }
  if (delimiter_quote_ != 0) {
    if (c == delimiter_quote_) {
      delimiter_quote_ = 0;
    } else {
      heredoc_.delimiter += c;
    }
    return;
  }
  if (is_blank(c) && !delimiter_started_) return;
  if (is_blank(c) || is_operator(c)) {
    reading_delimiter_ = false;
    if (delimiter_started_) pending_.push_back(heredoc_);
    return take_code(c);
  }
  delimiter_started_ = true;
  if (c == '\'' || c == '"' || c == '\\') {
    delimiter_quote_ = c;
    heredoc_.quoted = true;
    return;
  }
  heredoc_.delimiter += c;
}

void ShellLexer::take_heredoc_body(char c) {
  if (c != '\n') {
    line_ += c;
    return;
  }
  const Heredoc& heredoc = pending_.front();
  std::string_view line = line_;
  if (heredoc.strip_tabs && !continued_) {
    line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
  }
  const bool ends = !continued_ && line == heredoc.delimiter;
  // In an unquoted body a backslash at the end of a line joins it with the next one.
  const size_t text_end = line.find_last_not_of('\\');
  const size_t backslashes = line.size() - (text_end == std::string_view::npos ? 0 : text_end + 1);
  continued_ = !ends && !heredoc.quoted && backslashes % 2 == 1;
  line_.clear();
  if (!ends) return;
  pending_.erase(pending_.begin());
  in_body_ = !pending_.empty();
}

}  // namespace wave::model
