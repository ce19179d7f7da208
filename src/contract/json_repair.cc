#include "contract/json_repair.h"

#include <array>
#include <cctype>
#include <cstring>

#include "base/json.h"
#include "base/text.h"

namespace wave::contract {
namespace {

using Kind = Token::Kind;

/// The next token behind `at` that is not blank; the size when there is none.
size_t next_solid(const Tokens& tokens, size_t at) {
  for (++at; at < tokens.size() && tokens[at].is_blank();) ++at;
  return at;
}

bool starts_value(const Token& token) {
  return token.opens() || token.kind == Kind::kString || token.kind == Kind::kSingleQuoted ||
         token.kind == Kind::kWord;
}

bool ends_value(const Token& token) {
  return token.closes() || token.kind == Kind::kString || token.kind == Kind::kSingleQuoted ||
         token.kind == Kind::kWord;
}

std::string json_quoted(std::string_view text) {
  return dump_json(json::value(text));
}

// --- Conservative: nothing but decoration goes. ---

bool remove_comments(Tokens& tokens) {
  bool changed = false;
  for (Token& token : tokens) {
    if (token.kind != Kind::kComment) continue;
    token = {Kind::kSpace, " "};
    changed = true;
  }
  return changed;
}

bool remove_trailing_commas(Tokens& tokens) {
  bool changed = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!tokens[i].is(',')) continue;
    const size_t next = next_solid(tokens, i);
    if (next == tokens.size() || !tokens[next].closes()) continue;
    tokens[i] = {Kind::kSpace, ""};
    changed = true;
  }
  return changed;
}

bool normalise_whitespace(Tokens& tokens) {
  bool changed = false;
  for (Token& token : tokens) {
    if (token.kind != Kind::kSpace ||
        token.text.find_first_not_of(" \t\r\n") == std::string::npos) {
      continue;
    }
    token.text = " ";
    changed = true;
  }
  return changed;
}

// --- Progressive: the data is all there, its notation is another language's. ---

bool quote_bare_keys(Tokens& tokens) {
  bool changed = false;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != Kind::kWord) continue;
    const size_t next = next_solid(tokens, i);
    if (next == tokens.size() || !tokens[next].is(':')) continue;
    tokens[i] = {Kind::kString, json_quoted(tokens[i].text)};
    changed = true;
  }
  return changed;
}

/// The inside of '...' as the inside of "...": \' needs no backslash, " needs one.
std::string requote(std::string_view single) {
  std::string text = "\"";
  const std::string_view inside = single.substr(1, single.size() - 2);
  for (size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size()) {
      if (inside[i + 1] != '\'') text += '\\';
      text += inside[++i];
    } else if (inside[i] == '"') {
      text += "\\\"";
    } else {
      text += inside[i];
    }
  }
  return text + "\"";
}

bool replace_single_quotes(Tokens& tokens) {
  bool changed = false;
  for (Token& token : tokens) {
    if (token.kind != Kind::kSingleQuoted) continue;
    token = {Kind::kString, requote(token.text)};
    changed = true;
  }
  return changed;
}

bool replace_python_literals(Tokens& tokens) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kLiterals{
      {{"True", "true"}, {"False", "false"}, {"None", "null"}}};
  bool changed = false;
  for (Token& token : tokens) {
    for (const auto& [python, plain] : kLiterals) {
      if (token.kind != Kind::kWord || token.text != python) continue;
      token.text = plain;
      changed = true;
    }
  }
  return changed;
}

bool escape_line_breaks(Tokens& tokens) {
  bool changed = false;
  for (Token& token : tokens) {
    if (token.kind != Kind::kString) continue;
    std::string text;
    for (const char c : token.text) {
      if (static_cast<unsigned char>(c) >= 0x20) {
        text += c;
      } else {
        text += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
      }
    }
    changed = changed || text != token.text;
    token.text = std::move(text);
  }
  return changed;
}

bool insert_missing_commas(Tokens& tokens) {
  Tokens out;
  bool changed = false;
  const Token* before = nullptr;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    if (before != nullptr && ends_value(*before) && starts_value(token)) {
      out.push_back({Kind::kPunctuation, ","});
      changed = true;
    }
    if (!token.is_blank()) before = &token;
    out.push_back(token);
  }
  tokens = std::move(out);
  return changed;
}

// --- Aggressive: data is missing or damaged; what comes out is a guess. ---

/// Drops what cannot stand before a closer: a comma, or a key without its value.
void drop_dangling(Tokens& tokens, bool in_object) {
  const auto pop_blank = [&] {
    while (!tokens.empty() && tokens.back().is_blank()) tokens.pop_back();
  };
  pop_blank();
  if (!tokens.empty() && tokens.back().is(':')) {
    tokens.push_back({Kind::kWord, "null"});
    return;
  }
  if (in_object && tokens.size() >= 2 && tokens.back().kind == Kind::kString) {
    size_t before = tokens.size() - 1;
    while (before > 0 && tokens[before - 1].is_blank()) --before;
    const bool is_key = before > 0 && (tokens[before - 1].is(',') || tokens[before - 1].is('{'));
    if (is_key) tokens.resize(before);
  }
  pop_blank();
  if (!tokens.empty() && tokens.back().is(',')) tokens.pop_back();
}

std::string close_string(std::string text) {
  // An escape that was cut in half goes with it.
  const size_t slash = text.rfind('\\');
  if (slash != std::string::npos && slash > 0) {
    size_t run = 0;
    while (run < text.size() && text[text.size() - 1 - run] == '\\') ++run;
    const bool half_unicode = slash + 1 < text.size() && text[slash + 1] == 'u' &&
                              text.size() - slash < 6 && text[slash - 1] != '\\';
    if (run % 2 == 1) {
      text.pop_back();
    } else if (half_unicode) {
      text.resize(slash);
    }
  }
  return text + "\"";
}

bool close_open_brackets(Tokens& tokens) {
  bool changed = false;
  if (!tokens.empty() && tokens.back().kind == Kind::kOpenString) {
    tokens.back() = {Kind::kString, close_string(tokens.back().text)};
    changed = true;
  }
  std::string open;
  for (const Token& token : tokens) {
    if (token.opens()) open += token.text[0];
    if (token.closes() && !open.empty()) open.pop_back();
  }
  for (; !open.empty(); open.pop_back()) {
    const bool in_object = open.back() == '{';
    drop_dangling(tokens, in_object);
    tokens.push_back({Kind::kPunctuation, in_object ? "}" : "]"});
    changed = true;
  }
  return changed;
}

/// Closers take the kind of what they close, those that close nothing go, and so does everything
/// that is no token of JSON.
bool reconstruct(Tokens& tokens) {
  Tokens out;
  std::string open;
  bool changed = false;
  bool complete = false;
  for (const Token& token : tokens) {
    if (complete && !token.is_blank()) {
      changed = true;
      continue;
    }
    if (token.opens()) open += token.text[0];
    if (token.kind == Kind::kOther) {
      changed = true;
      continue;
    }
    if (!token.closes()) {
      out.push_back(token);
      continue;
    }
    if (open.empty()) {
      changed = true;
      continue;
    }
    const char* closer = open.back() == '{' ? "}" : "]";
    changed = changed || token.text != closer;
    out.push_back({Kind::kPunctuation, closer});
    open.pop_back();
    complete = open.empty();
  }
  tokens = std::move(out);
  return changed;
}

bool infer_missing_values(Tokens& tokens) {
  Tokens out;
  bool changed = false;
  char before = '\0';  // the last punctuation, if nothing solid came behind it
  for (const Token& token : tokens) {
    const bool ends = token.is(',') || token.closes();
    if (before == ':' && ends) {
      out.push_back({Kind::kWord, "null"});
      changed = true;
    }
    // Of two commas one is enough.
    if (token.is(',') && (before == ',' || before == '{' || before == '[')) {
      changed = true;
      continue;
    }
    if (!token.is_blank()) before = token.kind == Kind::kPunctuation ? token.text[0] : '\0';
    out.push_back(token);
  }
  tokens = std::move(out);
  return changed;
}

constexpr std::array kRepairs{
    Repair{"removed_comments", RecoveryLevel::kConservative, remove_comments},
    Repair{"removed_trailing_commas", RecoveryLevel::kConservative, remove_trailing_commas},
    Repair{"normalised_whitespace", RecoveryLevel::kConservative, normalise_whitespace},
    Repair{"quoted_bare_keys", RecoveryLevel::kProgressive, quote_bare_keys},
    Repair{"replaced_single_quotes", RecoveryLevel::kProgressive, replace_single_quotes},
    Repair{"replaced_python_literals", RecoveryLevel::kProgressive, replace_python_literals},
    Repair{"escaped_line_breaks", RecoveryLevel::kProgressive, escape_line_breaks},
    Repair{"inserted_missing_commas", RecoveryLevel::kProgressive, insert_missing_commas},
    Repair{"closed_open_brackets", RecoveryLevel::kAggressive, close_open_brackets},
    Repair{"reconstructed", RecoveryLevel::kAggressive, reconstruct},
    Repair{"inferred_missing_values", RecoveryLevel::kAggressive, infer_missing_values},
};

}  // namespace

std::span<const Repair> repairs() {
  return kRepairs;
}

}  // namespace wave::contract
