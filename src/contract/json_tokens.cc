#include "contract/json_tokens.h"

#include <cctype>

namespace wave::contract {
namespace {

constexpr std::string_view kPunctuation = "{}[],:";
// Spaces that people and models paste: no-break, zero-width (and the byte order mark).
constexpr std::string_view kWideSpaces[] = {"\u00a0", "\u2002", "\u2003", "\u2009",
                                            "\u200b", "\u2028", "\u2029", "\u202f",
                                            "\u2060", "\u3000", "\ufeff"};

size_t space_length(std::string_view text) {
  const auto c = static_cast<unsigned char>(text[0]);
  if (c == ' ' || (c >= '\t' && c <= '\r')) return 1;
  for (std::string_view space : kWideSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

size_t spaces_length(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    const size_t one = space_length(text.substr(length));
    if (one == 0) break;
    length += one;
  }
  return length;
}

/// The length of a quoted text with its quotes; 0 when it is not closed.
size_t quoted_length(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == text[0]) {
      return i + 1;
    }
  }
  return 0;
}

bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || c == '-' ||
         c == '+' || c == '.';
}

}  // namespace

TokenSpan next_token(std::string_view text, TokenHints& hints) {
  const char c = text[0];
  if (kPunctuation.find(c) != std::string_view::npos) return {Token::Kind::kPunctuation, 1};
  if (const size_t spaces = spaces_length(text); spaces > 0) return {Token::Kind::kSpace, spaces};
  if (c == '"') {
    const size_t length = quoted_length(text);
    if (length == 0) return {Token::Kind::kOpenString, text.size()};
    return {Token::Kind::kString, length};
  }
  if (c == '\'') {
    const size_t length = hints.no_closing_quote ? 0 : quoted_length(text);
    hints.no_closing_quote = length == 0;
    if (length == 0) return {Token::Kind::kOther, 1};
    return {Token::Kind::kSingleQuoted, length};
  }
  if (text.starts_with("//")) {
    return {Token::Kind::kComment, std::min(text.find('\n'), text.size())};
  }
  if (text.starts_with("/*") && !hints.no_comment_end) {
    const size_t end = text.find("*/", 2);
    if (end != std::string_view::npos) return {Token::Kind::kComment, end + 2};
    hints.no_comment_end = true;
  }
  size_t word = 0;
  while (word < text.size() && is_word_byte(text[word])) ++word;
  if (word > 0) return {Token::Kind::kWord, word};
  return {Token::Kind::kOther, 1};
}

Tokens read_tokens(std::string_view text) {
  Tokens tokens;
  TokenHints hints;
  while (!text.empty()) {
    const TokenSpan span = next_token(text, hints);
    tokens.push_back({span.kind, std::string(text.substr(0, span.length))});
    text.remove_prefix(span.length);
  }
  return tokens;
}

std::string join_tokens(const Tokens& tokens) {
  std::string text;
  for (const Token& token : tokens) text += token.text;
  return text;
}

}  // namespace wave::contract
