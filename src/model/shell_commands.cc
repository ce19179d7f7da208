#include "model/shell_commands.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

namespace wave::model {
namespace {

constexpr char kDynamic = '\1';
constexpr int kMostNesting = 100;  // of substitutions; what lies deeper is passed over

bool is_variable_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_shell_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}
bool is_metacharacter(char c) {
  return is_shell_blank(c) || c == '\n' || c == ';' || c == '&' || c == '|' || c == '(' ||
         c == ')' || c == '<' || c == '>';
}

// Words behind which a command may stand.
bool precedes_command(std::string_view word) {
  static constexpr std::array<std::string_view, 13> kWords{
      "if", "then", "else", "elif", "do", "{", "while", "until", "!", "fi", "}", "done", "time"};
  return std::ranges::find(kWords, word) != kWords.end();
}

// The name in front of "=" or "+=", or nothing.
std::string_view assigned_name(std::string_view text) {
  size_t end = 0;
  while (end < text.size() && is_variable_char(text[end])) ++end;
  if (end == 0 || std::isdigit(static_cast<unsigned char>(text[0])) != 0) return {};
  const std::string_view rest = text.substr(end);
  return rest.starts_with('=') || rest.starts_with("+=") ? text.substr(0, end) : std::string_view();
}

class Parser {
 public:
  explicit Parser(std::string_view script) : text_(script) {}

  std::vector<ShellCommand> run() {
    // A ")" too many ends a list, and what stands behind it is read all the same.
    while (at_ < text_.size()) {
      list();
      ++at_;
    }
    return std::move(commands_);
  }

 private:
  struct Token {
    enum class Kind { kWord, kOperator, kRedirect };
    Kind kind = Kind::kWord;
    ShellWord word;                        // kWord; the target of kRedirect
    std::string text;                      // of an operator
    bool is_quoted = false;                // some of the word was: it is no reserved word
    std::vector<ShellCommand> inner = {};  // of the substitutions in it
  };
  struct PendingHeredoc {
    size_t token = 0;
    std::string delimiter;
    bool strips_tabs = false, expands = false;
  };

  [[nodiscard]] bool more() const { return at_ < text_.size(); }
  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool take(std::string_view wanted) {
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }

  // Reads up to the end or an unmatched ")", and adds the commands.
  void list() {
    if (nesting_ >= kMostNesting) {
      at_ = text_.size();
      return;
    }
    ++nesting_;
    std::vector<Token> tokens;
    std::vector<PendingHeredoc> heredocs;
    int parentheses = 0, cases = 0;
    while (more()) {
      const char c = peek();
      const size_t before = commands_.size();
      if (is_shell_blank(c)) {
        ++at_;
      } else if (take("\\\n")) {
      } else if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '\n') {
        ++at_;
        tokens.push_back({Token::Kind::kOperator, {}, "\n", false, {}});
        for (const PendingHeredoc& heredoc : heredocs) read_body(heredoc, tokens);
        heredocs.clear();
      } else if (c == '<' || c == '>') {
        redirect(tokens, heredocs);
        take_inner(tokens.back(), before);
      } else if (is_metacharacter(c)) {
        if (c == '(') ++parentheses;
        // The patterns of a case end with one that was never opened.
        if (c == ')' && --parentheses < 0 && cases == 0) break;
        if (c == ')') parentheses = std::max(parentheses, 0);
        tokens.push_back({Token::Kind::kOperator, {}, operator_text(), false, {}});
      } else {
        Token token = word();
        take_inner(token, before);
        const bool is_reserved = !token.is_quoted && begins_command(tokens);
        if (is_reserved && token.word.text == "case") ++cases;
        if (is_reserved && token.word.text == "esac" && cases > 0) --cases;
        const bool is_descriptor =
            (peek() == '<' || peek() == '>') && !token.word.text.empty() &&
            token.word.text.find_first_not_of("0123456789") == std::string::npos;
        if (!is_descriptor) tokens.push_back(std::move(token));
      }
    }
    --nesting_;
    add_commands(tokens);
  }

  // Whether the next word would be a command or reserved word.
  static bool begins_command(const std::vector<Token>& tokens) {
    if (tokens.empty() || tokens.back().kind == Token::Kind::kOperator) return true;
    const Token& last = tokens.back();
    if (last.kind != Token::Kind::kWord || last.is_quoted) return false;
    return last.word.text == "in" || precedes_command(last.word.text);
  }

  void take_inner(Token& token, size_t before) {
    const auto first = commands_.begin() + static_cast<std::ptrdiff_t>(before);
    token.inner.insert(token.inner.end(), std::make_move_iterator(first),
                       std::make_move_iterator(commands_.end()));
    commands_.erase(first, commands_.end());
  }

  std::string operator_text() {
    for (const std::string_view known : {";;&", "&&", "||", ";;", ";&", "|&"}) {
      if (take(known)) return std::string(known);
    }
    return {text_[at_++]};
  }

  void redirect(std::vector<Token>& tokens, std::vector<PendingHeredoc>& heredocs) {
    Token token;
    token.kind = Token::Kind::kRedirect;
    for (const std::string_view known :
         {"<<<", "<<-", "<<", "<&", "<>", "<(", ">>", ">&", ">|", ">(", "<", ">"}) {
      if (!take(known)) continue;
      token.text = known;
      break;
    }
    if (token.text.ends_with('(')) {  // a process substitution
      substitution();
      tokens.push_back({Token::Kind::kWord, {std::string(1, kDynamic), {}}, {}, true, {}});
      return;
    }
    while (is_shell_blank(peek())) ++at_;
    const size_t start = at_;
    Token target = word();
    token.word = std::move(target.word);
    if (token.text == "<<" || token.text == "<<-") {
      const std::string_view written = text_.substr(start, at_ - start);
      heredocs.push_back({.token = tokens.size(),
                          .delimiter = token.word.text,
                          .strips_tabs = token.text == "<<-",
                          .expands = written.find_first_of("'\"\\") == std::string_view::npos});
      token.word = {};
    }
    tokens.push_back(std::move(token));
  }

  void read_body(const PendingHeredoc& heredoc, std::vector<Token>& tokens) {
    const size_t start = at_;
    size_t end = start;
    while (end < text_.size()) {
      const size_t stop = std::min(text_.find('\n', end), text_.size());
      std::string_view line = text_.substr(end, stop - end);
      if (heredoc.strips_tabs)
        line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (line == heredoc.delimiter) {
        at_ = std::min(stop + 1, text_.size());
        break;
      }
      end = stop + 1;
    }
    end = std::min(end, text_.size());
    if (at_ == start) at_ = end;
    if (!heredoc.expands) return;
    Parser body(text_.substr(start, end - start));
    body.nesting_ = nesting_;
    ShellWord& word = tokens[heredoc.token].word;
    while (body.more()) body.quoted_char(word);
    std::vector<ShellCommand>& inner = tokens[heredoc.token].inner;
    std::ranges::move(body.commands_, std::back_inserter(inner));
  }

  Token word() {
    Token token;
    while (more() && !is_metacharacter(peek())) {
      const char c = peek();
      token.is_quoted = token.is_quoted || c == '\'' || c == '"' || c == '\\' || c == '$';
      if (c == '\'') {
        single_quoted(token.word);
      } else if (c == '"') {
        ++at_;
        while (more() && peek() != '"') quoted_char(token.word);
        ++at_;
      } else if (c == '\\') {
        ++at_;
        if (more() && peek() != '\n') token.word.text += peek();
        ++at_;
      } else if (c == '$' && peek(1) == '\'') {
        ansi_quoted(token.word);
      } else if (c == '$' || c == '`') {
        expansion(token.word);
      } else {
        token.word.text += c;
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
    return token;
  }

  void single_quoted(ShellWord& word) {
    const size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
    word.text += text_.substr(at_ + 1, end - at_ - 1);
    at_ = std::min(end + 1, text_.size());
  }

  // Bash's $'...'.
  void ansi_quoted(ShellWord& word) {
    for (at_ += 2; more() && peek() != '\''; ++at_) {
      if (peek() == '\\') ++at_;
      if (more()) word.text += peek();
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  // One character, or what expands, within double quotes.
  void quoted_char(ShellWord& word) {
    const char c = peek();
    if (c == '$' || c == '`') return expansion(word);
    if (c == '\\' && (peek(1) == '$' || peek(1) == '`' || peek(1) == '"' || peek(1) == '\\')) ++at_;
    if (more()) word.text += peek();
    ++at_;
  }

  // At "$" or "`".
  void expansion(ShellWord& word) {
    if (nesting_ >= kMostNesting) {
      at_ = text_.size();
      return;
    }
    ++nesting_;
    expand(word);
    --nesting_;
  }

  void expand(ShellWord& word) {
    if (take("`")) {
      backquoted();
      word.text += kDynamic;
      return;
    }
    if (take("$((")) {
      arithmetic(word);
    } else if (take("$(")) {
      substitution();
    } else if (take("${")) {
      parameter(word);
    } else if (peek(1) == '\0' ||
               (!is_variable_char(peek(1)) &&
                std::string_view("#$?!*@-").find(peek(1)) == std::string::npos)) {
      word.text += '$';
      ++at_;
      return;
    } else {
      ++at_;
      if (!is_variable_char(peek()) || std::isdigit(static_cast<unsigned char>(peek())) != 0) {
        ++at_;
      } else {
        word.names.push_back(name());
      }
    }
    word.text += kDynamic;
  }

  std::string name() {
    const size_t start = at_;
    while (more() && is_variable_char(peek())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void substitution() {
    list();
    if (peek() == ')') ++at_;
  }

  void backquoted() {
    std::string inner;
    while (more() && peek() != '`') {
      if (peek() == '\\' && (peek(1) == '`' || peek(1) == '\\' || peek(1) == '$')) ++at_;
      inner += peek();
      ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
    Parser parser(inner);
    parser.nesting_ = nesting_;
    std::ranges::move(parser.run(), std::back_inserter(commands_));
  }

  // Behind "$((".
  void arithmetic(ShellWord& word) {
    for (int open = 2; more() && open > 0;) {
      if (peek() == '$' || peek() == '`') {
        expansion(word);
        continue;
      }
      open += peek() == '(' ? 1 : peek() == ')' ? -1 : 0;
      ++at_;
    }
  }

  // Behind "${".
  void parameter(ShellWord& word) {
    const bool is_length = peek() == '#' && is_variable_char(peek(1));
    if (is_length || peek() == '!') ++at_;
    std::string named = name();
    if (!is_length && !named.empty()) word.names.push_back(std::move(named));
    while (more() && peek() != '}') {
      if (peek() == '$' || peek() == '`') {
        expansion(word);
      } else if (peek() == '\'') {
        ++at_;
      } else if (peek() == '\\') {
        at_ = std::min(at_ + 2, text_.size());
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  // --- from tokens to commands ---

  // The variables whose values a command writes to its output: what it is fed, and what it is told
  // to print.
  static std::vector<std::string> written_by(const ShellCommand& command) {
    std::vector<std::string> names = command.fed;
    static constexpr std::array<std::string_view, 4> kPrinters{"echo", "printf", "cat", "print"};
    if (command.words.empty() ||
        std::ranges::find(kPrinters, command.words.front().text) == kPrinters.end()) {
      return names;
    }
    for (const ShellWord& word : command.words) {
      names.insert(names.end(), word.names.begin(), word.names.end());
    }
    return names;
  }

  /// Puts tokens together to commands, one after the other.
  class Assembly {
   public:
    explicit Assembly(std::vector<ShellCommand>& commands) : commands_(commands) {}

    void add(Token& token) {
      std::ranges::move(token.inner, std::back_inserter(commands_));
      switch (token.kind) {
        case Token::Kind::kRedirect:
          return add_redirect(token);
        case Token::Kind::kOperator:
          return add_operator(token.text);
        case Token::Kind::kWord:
          return add_word(token);
      }
    }

    /// What comes next is another command; `pipes`: it reads what this one writes.
    void end(bool pipes) {
      std::vector<std::string> written;
      if (pipes) written = written_by(command_);
      if (!command_.words.empty() || !command_.assignments.empty()) {
        commands_.push_back(std::move(command_));
      }
      command_ = {};
      command_.fed = std::move(written);
    }

   private:
    enum class Expects { kCommand, kArguments, kForName, kForWords, kCaseWord, kPattern };

    void add_redirect(const Token& token) {
      if (!token.text.starts_with("<<")) return;
      const std::vector<std::string>& names = token.word.names;
      command_.fed.insert(command_.fed.end(), names.begin(), names.end());
    }

    void add_operator(std::string_view text) {
      if (expects_ == Expects::kPattern && text != ")") return;
      if (expects_ == Expects::kForName) return;  // "for ((...))", which is bash's
      end(text == "|" || text == "|&");
      const bool ends_case_item = text == ";;" || text == ";&" || text == ";;&";
      expects_ = cases_ > 0 && ends_case_item ? Expects::kPattern : Expects::kCommand;
    }

    void add_word(Token& token) {
      switch (expects_) {
        case Expects::kCommand:
          return begin_command(token);
        case Expects::kArguments:
          command_.words.push_back(std::move(token.word));
          return;
        case Expects::kForName:
          looped_ = token.word.text;
          expects_ = Expects::kForWords;
          return;
        case Expects::kForWords:
          return add_looped(token);
        case Expects::kCaseWord:
          if (is_reserved(token, "in")) expects_ = Expects::kPattern;
          return;
        case Expects::kPattern:
          if (!is_reserved(token, "esac")) return;
          leave_case();
          expects_ = Expects::kCommand;
          return;
      }
    }

    void begin_command(Token& token) {
      if (is_reserved(token, "for") || is_reserved(token, "select")) {
        expects_ = Expects::kForName;
        return;
      }
      if (is_reserved(token, "case")) {
        ++cases_;
        expects_ = Expects::kCaseWord;
        return;
      }
      if (is_reserved(token, "esac")) return leave_case();
      if (!token.is_quoted && precedes_command(token.word.text)) return;
      if (const std::string name(assigned_name(token.word.text)); !name.empty()) {
        command_.assignments.emplace_back(name, std::move(token.word));
        return;
      }
      command_.words.push_back(std::move(token.word));
      expects_ = Expects::kArguments;
    }

    // The words of a `for` are assigned to its variable.
    void add_looped(const Token& token) {
      if (command_.assignments.empty()) {
        if (is_reserved(token, "in")) command_.assignments.emplace_back(looped_, ShellWord{});
        return;
      }
      std::vector<std::string>& names = command_.assignments.back().second.names;
      names.insert(names.end(), token.word.names.begin(), token.word.names.end());
    }

    void leave_case() { cases_ = std::max(cases_ - 1, 0); }

    static bool is_reserved(const Token& token, std::string_view word) {
      return !token.is_quoted && token.word.text == word;
    }

    std::vector<ShellCommand>& commands_;
    Expects expects_ = Expects::kCommand;
    int cases_ = 0;
    ShellCommand command_;
    std::string looped_;  // the variable of a `for`
  };

  void add_commands(std::vector<Token>& tokens) {
    Assembly assembly(commands_);
    for (Token& token : tokens) assembly.add(token);
    assembly.end(false);
  }

  std::string_view text_;
  size_t at_ = 0;
  int nesting_ = 0;
  std::vector<ShellCommand> commands_;
};

}  // namespace

std::vector<ShellCommand> shell_commands(std::string_view script) {
  return Parser(script).run();
}

}  // namespace wave::model
