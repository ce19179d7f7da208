// Where in a POSIX shell script a place lies: bare, in quotes, in a here-document ... Just enough
// of the shell's grammar (XCU 2.2, 2.3, 2.6, 2.7.4) to know the quoting, fed piece by piece.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wave::model {

class ShellLexer {
 public:
  enum class Context {
    kBare,
    kDoubleQuotes,
    kSingleQuotes,
    kComment,
    kHeredoc,
    kHeredocDelimiter,  // the word behind <<
    kCommandSubstitution,
    kBackquotes,
    kArithmetic,
    kParameter,  // ${...}
    kEscaped,    // right behind a backslash or a dollar sign that would take what follows
  };

  /// Reads on.
  void feed(std::string_view text);
  /// What stands at the present place is one word (part) of the shell: a placeholder's variable.
  void feed_word();
  /// The context of the present place.
  [[nodiscard]] Context context() const;
  /// Whether the script could end here: no quote, substitution or here-document is open.
  [[nodiscard]] bool complete() const;

 private:
  enum class Level { kCode, kDouble, kSingle, kComment, kBackquote, kArithmetic, kParameter };
  struct Frame {
    Level level = Level::kCode;
    bool in_double = false;        // kParameter, kArithmetic: started within double quotes
    int parens = 0;                // kCode, kArithmetic: open "(" of this level
    int cases = 0;                 // kCode: "case ... esac" that are open
    bool word_start = true;        // kCode: a "#" would start a comment
    bool command_position = true;  // kCode: a word would be a command or reserved word
    std::string word;              // kCode: the plain word being read
  };
  struct Heredoc {
    std::string delimiter;
    bool strip_tabs = false;
    bool quoted = false;
  };

  void take(char c);
  void take_code(char c);
  void take_dollar(char c);
  void take_double(char c);
  void take_parameter(char c);
  void take_arithmetic(char c);
  void take_heredoc_delimiter(char c);
  void take_heredoc_body(char c);
  void end_word();
  void open(Level level);
  void close();
  Frame& top() { return frames_.back(); }

  std::vector<Frame> frames_{Frame{}};
  bool escaped_ = false;   // a backslash was just read where it escapes
  bool dollar_ = false;    // "$" was just read where it expands
  int dollar_parens_ = 0;  // "$(" was just read: "$((" or "$(" is still open to question
  int less_ = 0;           // how many "<" were just read in code
  // The word behind "<<".
  bool reading_delimiter_ = false;
  bool delimiter_started_ = false;
  char delimiter_quote_ = 0;
  Heredoc heredoc_;
  std::vector<Heredoc> pending_;  // announced in this line
  // A here-document's body: the line so far.
  bool in_body_ = false;
  std::string line_;
  bool continued_ = false;  // the line before ended with a backslash
};

}  // namespace wave::model
