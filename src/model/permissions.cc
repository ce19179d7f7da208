#include "model/permissions.h"

#include <algorithm>
#include <array>
#include <bitset>

#include "base/text.h"

namespace wave::model {
namespace {

// One unit of a glob. kStar stands for any text without "/", kDeep for any text.
struct Token {
  enum class Kind { kChar, kAny, kSet, kStar, kDeep };
  Kind kind = Kind::kChar;
  char character = 0;
  std::bitset<256> set;
};
using Glob = std::vector<Token>;

size_t index_of(char c) {
  return static_cast<unsigned char>(c);
}

// "[...]" at `at`; moves `at` behind it. A bracket that is never closed is an ordinary character.
bool take_set(std::string_view text, size_t& at, Token& token) {
  size_t i = at + 1;
  const bool negated = i < text.size() && (text[i] == '!' || text[i] == '^');
  if (negated) ++i;
  const size_t first = i;
  std::bitset<256> set;
  while (i < text.size() && (text[i] != ']' || i == first)) {
    const char low = text[i];
    if (i + 2 < text.size() && text[i + 1] == '-' && text[i + 2] != ']') {
      for (size_t c = index_of(low); c <= index_of(text[i + 2]); ++c) set.set(c);
      i += 3;
    } else {
      set.set(index_of(low));
      ++i;
    }
  }
  if (i >= text.size()) return false;
  token.kind = Token::Kind::kSet;
  token.set = negated ? ~set : set;
  at = i + 1;
  return true;
}

// `paths`: whether "*", "?" and classes stop at "/" (arguments that are paths).
Glob parse_glob(std::string_view text, bool paths) {
  Glob glob;
  for (size_t at = 0; at < text.size();) {
    Token token{Token::Kind::kChar, text[at], {}};
    if (text[at] == '*') {
      const bool deep = at + 1 < text.size() && text[at + 1] == '*';
      token = {deep || !paths ? Token::Kind::kDeep : Token::Kind::kStar, 0, {}};
      at += deep ? 2 : 1;
    } else if (text[at] == '?') {
      token = {Token::Kind::kAny, 0, {}};
      if (!paths) {
        token.kind = Token::Kind::kSet;
        token.set.set();
      }
      ++at;
    } else if (text[at] == '[' && take_set(text, at, token)) {
      if (paths) token.set.reset(index_of('/'));
    } else {
      if (text[at] == '\\' && at + 1 < text.size()) token.character = text[++at];
      ++at;
    }
    glob.push_back(token);
  }
  return glob;
}

bool is_repeat(const Token& token) {
  return token.kind == Token::Kind::kStar || token.kind == Token::Kind::kDeep;
}

// Whether everything one unit of `inner` can stand for fits one unit of `outer` (for a repeating
// `outer`: fits into what it repeats).
bool takes(const Token& outer, const Token& inner) {
  using Kind = Token::Kind;
  switch (outer.kind) {
    case Kind::kDeep:
      return true;
    case Kind::kStar:
      if (inner.kind == Kind::kDeep) return false;
      if (inner.kind == Kind::kChar) return inner.character != '/';
      return inner.kind != Kind::kSet || !inner.set.test(index_of('/'));
    case Kind::kAny:
      if (inner.kind == Kind::kChar) return inner.character != '/';
      if (inner.kind == Kind::kSet) return !inner.set.test(index_of('/'));
      return inner.kind == Kind::kAny;
    case Kind::kSet:
      if (inner.kind == Kind::kChar) return outer.set.test(index_of(inner.character));
      if (inner.kind == Kind::kSet) return (inner.set & ~outer.set).none();
      if (inner.kind == Kind::kAny) return (~outer.set).reset(index_of('/')).none();
      return false;
    case Kind::kChar:
      if (inner.kind == Kind::kSet)
        return inner.set.count() == 1 && inner.set.test(index_of(outer.character));
      return inner.kind == Kind::kChar && inner.character == outer.character;
  }
  return false;
}

// Whether `outer` matches the units of `inner` as if they were characters: if so, it matches every
// text that `inner` does. Never true by mistake; rarely false by mistake.
bool glob_covers(const Glob& outer, const Glob& inner) {
  std::vector<char> row(inner.size() + 1, 0);
  row[0] = 1;
  for (const Token& token : outer) {
    std::vector<char> next(inner.size() + 1, 0);
    if (is_repeat(token)) {
      next[0] = row[0];
      for (size_t i = 0; i < inner.size(); ++i) {
        next[i + 1] = row[i + 1] || (next[i] && takes(token, inner[i]));
      }
    } else {
      for (size_t i = 0; i < inner.size(); ++i) next[i + 1] = row[i] && takes(token, inner[i]);
    }
    row = std::move(next);
  }
  return row[inner.size()] != 0;
}

Glob literal(std::string_view text) {
  Glob glob;
  for (const char c : text) glob.push_back({Token::Kind::kChar, c, {}});
  return glob;
}

struct Pattern {
  std::string_view tool;
  std::string_view argument;
  bool any_argument = true;
};

Pattern split_pattern(std::string_view text) {
  text = trim(text);
  const size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) return {text, {}, true};
  const std::string_view argument = text.substr(open + 1, text.size() - open - 2);
  const bool any = argument == "*" || argument == "**" || argument.empty();
  return {trim(text.substr(0, open)), argument, any};
}

// Tools whose argument is a path, where "*" does not cross a "/". A tool that is only known by a
// pattern counts as one when it can be one.
bool takes_path(std::string_view tool) {
  static constexpr std::array<std::string_view, 8> kFileTools = {
      "Read", "Write", "Edit", "MultiEdit", "NotebookEdit", "NotebookRead", "Glob", "LS"};
  return std::ranges::find(kFileTools, tool) != kFileTools.end();
}

bool has_meta(std::string_view text) {
  return text.find_first_of("*?[\\") != std::string_view::npos;
}

bool covered_by_any(const std::vector<std::string>& outer, const std::string& inner) {
  return std::ranges::any_of(outer, [&](const auto& o) { return permission_covers(o, inner); });
}

void add_once(std::vector<std::string>& list, const std::string& entry) {
  if (std::ranges::find(list, entry) == list.end()) list.push_back(entry);
}

}  // namespace

bool permission_matches(std::string_view pattern, std::string_view tool,
                        std::string_view argument) {
  const Pattern wanted = split_pattern(pattern);
  if (!glob_covers(parse_glob(wanted.tool, false), literal(tool))) return false;
  if (wanted.any_argument) return true;
  return glob_covers(parse_glob(wanted.argument, takes_path(tool)), literal(argument));
}

bool permission_covers(std::string_view outer, std::string_view inner) {
  const Pattern o = split_pattern(outer);
  const Pattern i = split_pattern(inner);
  if (!glob_covers(parse_glob(o.tool, false), parse_glob(i.tool, false))) return false;
  if (o.any_argument) return true;
  if (i.any_argument) return false;
  if (o.argument == i.argument) return true;
  // Where the tool is a pattern, "*" may mean either: it has to hold both ways.
  if (has_meta(i.tool)) {
    return glob_covers(parse_glob(o.argument, true), parse_glob(i.argument, true)) &&
           glob_covers(parse_glob(o.argument, false), parse_glob(i.argument, false));
  }
  const bool paths = takes_path(i.tool);
  return glob_covers(parse_glob(o.argument, paths), parse_glob(i.argument, paths));
}

EffectivePermissions effective_permissions(const AdapterConfig& adapter, const Persona& persona,
                                           const Permissions& step) {
  EffectivePermissions effective;
  for (const Permissions* source : {&step, &persona.permissions, &adapter.default_permissions}) {
    for (const std::string& entry : source->deny) add_once(effective.denied, entry);
  }
  const auto is_given = [](const Permissions& permissions) {
    return permissions.allowed_given || !permissions.allowed_tools.empty();
  };
  const Permissions& base =
      is_given(persona.permissions) ? persona.permissions : adapter.default_permissions;
  const bool base_given = is_given(base);
  if (!base_given && !is_given(step)) return effective;
  if (!is_given(step)) {
    for (const std::string& entry : base.allowed_tools) add_once(effective.allowed, entry);
  } else if (!base_given) {
    for (const std::string& entry : step.allowed_tools) add_once(effective.allowed, entry);
  } else {
    for (const std::string& entry : step.allowed_tools) {
      if (covered_by_any(base.allowed_tools, entry)) add_once(effective.allowed, entry);
    }
    for (const std::string& entry : base.allowed_tools) {
      if (covered_by_any(step.allowed_tools, entry)) add_once(effective.allowed, entry);
    }
  }
  // A list that leaves nothing must not read as "nothing is restricted".
  if (effective.allowed.empty()) add_once(effective.denied, "*");
  return effective;
}

}  // namespace wave::model
