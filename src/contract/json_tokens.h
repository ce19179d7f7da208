// A lexer that takes any text and cuts it into the tokens of something like JSON: nothing is lost,
// and what stands in quotes stays one token, so that no repair can reach into it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace wave::contract {

struct Token {
  enum class Kind {
    kSpace,
    kComment,       // from // to the end of the line, or /* to */
    kString,        // "...", closed
    kOpenString,    // "... up to the end of the text
    kSingleQuoted,  // '...', closed
    kWord,          // a literal, a number, a bare key
    kPunctuation,   // one of { } [ ] , :
    kOther,         // one byte of anything else
  };
  Kind kind = Kind::kOther;
  std::string text;

  [[nodiscard]] bool is(char punctuation) const {
    return kind == Kind::kPunctuation && text[0] == punctuation;
  }
  [[nodiscard]] bool is_blank() const { return kind == Kind::kSpace || kind == Kind::kComment; }
  [[nodiscard]] bool opens() const { return is('{') || is('['); }
  [[nodiscard]] bool closes() const { return is('}') || is(']'); }
};
using Tokens = std::vector<Token>;

/// join_tokens gives the text back.
Tokens read_tokens(std::string_view text);
std::string join_tokens(const Tokens& tokens);

/// What a scan has learnt about the rest of its text, so that it looks for an end that is not there
/// only once.
struct TokenHints {
  bool no_closing_quote = false;  // ' is an apostrophe from here on
  bool no_comment_end = false;    // there is no */ any more
};

/// The token at the start of `text`, which must not be empty: for scans that need no list.
struct TokenSpan {
  Token::Kind kind = Token::Kind::kOther;
  size_t length = 0;
};
TokenSpan next_token(std::string_view text, TokenHints& hints);

}  // namespace wave::contract
