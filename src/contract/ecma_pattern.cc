// Translates ECMA-262 patterns; see ecma_regex.h.
#include <array>

#include "contract/ecma_regex.h"

namespace wave::contract {
namespace {

// WhiteSpace and LineTerminator of ECMA-262, as the inside of a character class, and its
// complement.
constexpr std::string_view kSpace =
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"
    "\\x{3000}\\x{feff}";
constexpr std::string_view kNotSpace =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
constexpr std::string_view kNotDigit = "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}";
constexpr std::string_view kNotWord =
    "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}";
constexpr std::string_view kAnything = "[\\x{0}-\\x{10ffff}]";
constexpr std::string_view kNothing = "[^\\x{0}-\\x{10ffff}]";
constexpr std::string_view kNotLineEnd = "[^\\n\\r\\x{2028}\\x{2029}]";

struct LongName {
  std::string_view name, abbreviation;
};
// General categories by their long names; the engines know the short ones and the scripts.
constexpr std::array kCategories{
    LongName{"Letter", "L"},
    LongName{"Cased_Letter", "LC"},
    LongName{"Uppercase_Letter", "Lu"},
    LongName{"Lowercase_Letter", "Ll"},
    LongName{"Titlecase_Letter", "Lt"},
    LongName{"Modifier_Letter", "Lm"},
    LongName{"Other_Letter", "Lo"},
    LongName{"Mark", "M"},
    LongName{"Combining_Mark", "M"},
    LongName{"Nonspacing_Mark", "Mn"},
    LongName{"Spacing_Mark", "Mc"},
    LongName{"Enclosing_Mark", "Me"},
    LongName{"Number", "N"},
    LongName{"Decimal_Number", "Nd"},
    LongName{"digit", "Nd"},
    LongName{"Letter_Number", "Nl"},
    LongName{"Other_Number", "No"},
    LongName{"Punctuation", "P"},
    LongName{"punct", "P"},
    LongName{"Connector_Punctuation", "Pc"},
    LongName{"Dash_Punctuation", "Pd"},
    LongName{"Open_Punctuation", "Ps"},
    LongName{"Close_Punctuation", "Pe"},
    LongName{"Initial_Punctuation", "Pi"},
    LongName{"Final_Punctuation", "Pf"},
    LongName{"Other_Punctuation", "Po"},
    LongName{"Symbol", "S"},
    LongName{"Math_Symbol", "Sm"},
    LongName{"Currency_Symbol", "Sc"},
    LongName{"Modifier_Symbol", "Sk"},
    LongName{"Other_Symbol", "So"},
    LongName{"Separator", "Z"},
    LongName{"Space_Separator", "Zs"},
    LongName{"Line_Separator", "Zl"},
    LongName{"Paragraph_Separator", "Zp"},
    LongName{"Other", "C"},
    LongName{"Control", "Cc"},
    LongName{"Format", "Cf"},
    LongName{"Surrogate", "Cs"},
    LongName{"Private_Use", "Co"},
};

std::string_view short_property(std::string_view name) {
  for (std::string_view prefix : {"General_Category=", "gc=", "Script=", "sc="}) {
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  }
  for (const LongName& row : kCategories) {
    if (row.name == name) return row.abbreviation;
  }
  return name;
}

bool is_ascii_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_pattern_digit(char c) {
  return c >= '0' && c <= '9';
}

int pattern_hex_value(char c) {
  if (is_pattern_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Translator {
 public:
  explicit Translator(std::string_view pattern) : in_(pattern) {}

  Result<TranslatedPattern> run() {
    while (at_ < in_.size()) WAVE_CHECK(translate_one());
    return std::move(out_);
  }

 private:
  [[nodiscard]] Error error(size_t at, std::string_view what) const {
    return {Code::kUsage, fmt::format("the pattern \"{}\" is not a regular expression: {} at "
                                      "character {}",
                                      excerpt_of(in_), what, at + 1)};
  }
  static std::string excerpt_of(std::string_view pattern) {
    return pattern.size() <= 80 ? std::string(pattern) : std::string(pattern.substr(0, 80)) + "...";
  }

  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
  }
  void put(std::string_view text) { out_.text += text; }
  void put_code_point(uint32_t code_point) { put(fmt::format("\\x{{{:x}}}", code_point)); }

  Status translate_one() {
    const char c = in_[at_];
    switch (c) {
      case '\\':
        return translate_escape(/*in_class=*/false);
      case '[':
        return translate_class();
      case '(':
        return translate_group();
      case '.':
        put(kNotLineEnd);
        break;
      case '^':
        put("\\A");
        break;
      case '$':
        put("\\z");
        break;
      default:
        out_.text += c;
        break;
    }
    ++at_;
    return {};
  }

  Status translate_group() {
    const std::string_view rest = in_.substr(at_);
    for (std::string_view look : {"(?=", "(?!", "(?<=", "(?<!"}) {
      if (!rest.starts_with(look)) continue;
      out_.needs_backtracking = true;
      put(look);
      at_ += look.size();
      return {};
    }
    // (?i) is no ECMA, but schemas written for other engines have it, and its meaning is plain.
    for (std::string_view plain : {"(?:", "(?i)", "(?i:"}) {
      if (!rest.starts_with(plain)) continue;
      put(plain);
      at_ += plain.size();
      return {};
    }
    if (rest.starts_with("(?<") || rest.starts_with("(?P<")) {
      put("(?P<");
      at_ += rest.find('<') + 1;
      return {};
    }
    if (rest.starts_with("(?")) return fail(error(at_, "an unknown kind of group"));
    if (rest.starts_with("(*")) return fail(error(at_ + 1, "nothing to repeat"));
    put("(");
    ++at_;
    return {};
  }

  Status translate_class() {
    const size_t start = at_;
    if (in_.substr(at_).starts_with("[^]")) {
      put(kAnything);
      at_ += 3;
      return {};
    }
    if (in_.substr(at_).starts_with("[]")) {
      put(kNothing);
      at_ += 2;
      return {};
    }
    put("[");
    ++at_;
    if (peek() == '^') {
      put("^");
      ++at_;
    }
    while (at_ < in_.size() && in_[at_] != ']') {
      if (in_[at_] == '\\') {
        WAVE_CHECK(translate_escape(/*in_class=*/true));
        continue;
      }
      // A '[' within a class is a literal here; the engines would look for [:names:].
      if (in_[at_] == '[') {
        put("\\[");
      } else {
        out_.text += in_[at_];
      }
      ++at_;
    }
    if (at_ == in_.size()) return fail(error(start, "a '[' that is not closed"));
    put("]");
    ++at_;
    return {};
  }

  void put_set(bool in_class, std::string_view positive, std::string_view negative, bool negated) {
    const std::string_view set = negated ? negative : positive;
    if (in_class) {
      put(set);
    } else {
      put("[");
      put(set);
      put("]");
    }
  }

  Status translate_escape(bool in_class) {
    const size_t start = at_;
    ++at_;
    if (at_ == in_.size()) return fail(error(start, "a '\\' at the end"));
    const char c = in_[at_++];
    switch (c) {
      case 'd':
      case 'D':
        put_set(in_class, "0-9", kNotDigit, c == 'D');
        return {};
      case 'w':
      case 'W':
        put_set(in_class, "0-9A-Za-z_", kNotWord, c == 'W');
        return {};
      case 's':
      case 'S':
        put_set(in_class, kSpace, kNotSpace, c == 'S');
        return {};
      case 't':
      case 'n':
      case 'r':
      case 'f':
        out_.text += '\\';
        out_.text += c;
        return {};
      case 'v':
        put_code_point(0x0b);
        return {};
      case 'b':
        put(in_class ? "\\x{8}" : "\\b");
        return {};
      case 'B':
        if (in_class) return fail(error(start, "\\B within a class"));
        put("\\B");
        return {};
      case 'c':
        return translate_control(start);
      case 'x':
        return translate_hex(start);
      case 'u':
        return translate_unicode(start);
      case 'p':
      case 'P':
        return translate_property(start, c);
      case 'k':
        return translate_named_reference(start);
      default:
        break;
    }
    if (is_pattern_digit(c)) return translate_digits(start, c, in_class);
    if (is_ascii_letter(c)) return fail(error(start, fmt::format("the unknown escape \\{}", c)));
    // Everything else stands for itself; a bare multi-byte character needs no backslash.
    if (static_cast<unsigned char>(c) < 0x80) out_.text += '\\';
    out_.text += c;
    return {};
  }

  Status translate_control(size_t start) {
    const char letter = peek();
    if (!is_ascii_letter(letter)) return fail(error(start, "\\c without a letter"));
    ++at_;
    put_code_point(static_cast<uint32_t>(letter) & 0x1f);
    return {};
  }

  /// `count` hexadecimal digits at at_, or nothing.
  std::optional<uint32_t> read_hex(size_t count) {
    uint32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const int digit = pattern_hex_value(peek(i));
      if (digit < 0) return std::nullopt;
      value = value * 16 + static_cast<uint32_t>(digit);
    }
    at_ += count;
    return value;
  }

  Status translate_hex(size_t start) {
    const auto value = read_hex(2);
    if (!value) return fail(error(start, "\\x without two hexadecimal digits"));
    put_code_point(*value);
    return {};
  }

  Status translate_unicode(size_t start) {
    if (peek() == '{') return translate_braced_unicode(start);
    auto value = read_hex(4);
    if (!value) return fail(error(start, "\\u without four hexadecimal digits"));
    if (*value >= 0xd800 && *value < 0xdc00 && peek() == '\\' && peek(1) == 'u') {
      at_ += 2;
      const auto low = read_hex(4);
      if (!low || *low < 0xdc00 || *low > 0xdfff)
        return fail(error(start, "half a surrogate pair"));
      value = 0x10000 + ((*value - 0xd800) << 10) + (*low - 0xdc00);
    }
    if (*value >= 0xd800 && *value <= 0xdfff) return fail(error(start, "half a surrogate pair"));
    put_code_point(*value);
    return {};
  }

  Status translate_braced_unicode(size_t start) {
    ++at_;
    uint32_t value = 0;
    size_t digits = 0;
    for (; pattern_hex_value(peek()) >= 0 && value <= 0x10ffff; ++at_, ++digits) {
      value = value * 16 + static_cast<uint32_t>(pattern_hex_value(peek()));
    }
    if (peek() != '}' || digits == 0 || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
      return fail(error(start, "\\u{} without the number of a character"));
    }
    ++at_;
    put_code_point(value);
    return {};
  }

  Status translate_property(size_t start, char kind) {
    const size_t close = in_.find('}', at_);
    if (peek() != '{' || close == std::string_view::npos) {
      return fail(error(start, fmt::format("\\{} without a {{property}}", kind)));
    }
    const std::string_view name = short_property(in_.substr(at_ + 1, close - at_ - 1));
    // \p{LC} is Lu, Ll and Lt together; RE2 does not know it.
    if (name == "LC") return fail(error(start, "the unsupported property Cased_Letter"));
    put(fmt::format("\\{}{{{}}}", kind, name));
    at_ = close + 1;
    return {};
  }

  Status translate_named_reference(size_t start) {
    const size_t close = in_.find('>', at_);
    if (peek() != '<' || close == std::string_view::npos) {
      return fail(error(start, "\\k without a <name>"));
    }
    out_.needs_backtracking = true;
    put(fmt::format("\\k{}", in_.substr(at_, close - at_ + 1)));
    at_ = close + 1;
    return {};
  }

  Status translate_digits(size_t start, char first, bool in_class) {
    if (first == '0' && !is_pattern_digit(peek())) {
      put_code_point(0);
      return {};
    }
    if (first == '0' || in_class) return fail(error(start, "an octal escape"));
    std::string number(1, first);
    while (is_pattern_digit(peek()) && number.size() < 3) number += in_[at_++];
    out_.needs_backtracking = true;
    put(fmt::format("\\g{{{}}}", number));
    return {};
  }

  std::string_view in_;
  size_t at_ = 0;
  TranslatedPattern out_;
};

}  // namespace

Result<TranslatedPattern> translate_pattern(std::string_view pattern) {
  return Translator(pattern).run();
}

}  // namespace wave::contract
