#include "base/redact.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "base/json.h"
#include "base/text.h"

namespace wave {
namespace {

// Which bytes a word of some kind consists of. Bits, because several words can go on at once.
enum WordClass : uint32_t {
  kAlnum = 1 << 0,    // [A-Za-z0-9]
  kWord = 1 << 1,     // [A-Za-z0-9_-]
  kToken68 = 1 << 2,  // [A-Za-z0-9._~+/=-], RFC 7235
  kJwt = 1 << 3,      // [A-Za-z0-9_.-]
  kValue = 1 << 4,    // an unquoted value: until a space, quote or delimiter
  kDoubleQuoted = 1 << 5,
  kSingleQuoted = 1 << 6,
};
constexpr std::array kClasses{kAlnum, kWord, kToken68, kJwt, kValue, kDoubleQuoted, kSingleQuoted};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_alnum(char c) {
  return is_digit(c) || is_upper(c) || (c >= 'a' && c <= 'z');
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

bool in_class(WordClass word_class, char c) {
  const auto any_of = [c](std::string_view set) { return set.contains(c); };
  switch (word_class) {
    case kAlnum:
      return is_alnum(c);
    case kWord:
      return is_alnum(c) || c == '_' || c == '-';
    case kToken68:
      return is_alnum(c) || any_of("._~+/=-");
    case kJwt:
      return is_alnum(c) || any_of("_.-");
    case kValue:
      return static_cast<unsigned char>(c) > ' ' && !any_of("\"'`,;&}])<>\\");
    case kDoubleQuoted:
      return c != '"' && c != '\n' && c != '\\';
    case kSingleQuoted:
      return c != '\'' && c != '\n' && c != '\\';
  }
  return false;
}

// What a look at one position gives: nothing here; a secret; or that more bytes are needed to tell.
struct Look {
  enum class Kind { kNothing, kSecret, kMore };
  Kind kind = Kind::kNothing;
  size_t skip = 0;       // bytes in front of the secret that stay readable
  size_t length = 0;     // bytes that are certainly part of it
  uint32_t classes = 0;  // the word goes on as long as it has bytes of these
  enum class Key { kNone, kOpens, kCloses };
  Key key = Key::kNone;  // a private key block begins or ends here
};
constexpr Look kNothing{};
constexpr Look kMore{Look::Kind::kMore, 0, 0, 0, Look::Key::kNone};

Look secret(size_t skip, size_t length, uint32_t classes) {
  return {Look::Kind::kSecret, skip, length, classes, Look::Key::kNone};
}

// A cursor over the text from one position on, which remembers that it ran out.
class Reader {
 public:
  Reader(std::string_view text, bool at_end) : text_(text), at_end_(at_end) {}

  // The byte at the cursor, or nothing at the end.
  std::optional<char> peek() {
    if (at_ < text_.size()) return text_[at_];
    ran_out_ = ran_out_ || !at_end_;
    return std::nullopt;
  }
  bool take(std::string_view word, bool ignore_case = false) {
    size_t i = 0;
    for (; i < word.size() && at_ + i < text_.size(); ++i) {
      const char c = text_[at_ + i];
      if ((ignore_case ? lower(c) : c) != word[i]) return false;
    }
    if (i < word.size()) {
      ran_out_ = ran_out_ || !at_end_;
      return false;
    }
    at_ += word.size();
    return true;
  }
  template <typename Predicate>
  size_t take_while(Predicate predicate, size_t most) {
    size_t count = 0;
    while (count < most) {
      const auto c = peek();
      if (!c || !predicate(*c)) break;
      has_digit_ = has_digit_ || is_digit(*c);
      ++at_;
      ++count;
    }
    return count;
  }
  void forget_digits() { has_digit_ = false; }
  [[nodiscard]] bool has_digit() const { return has_digit_; }
  [[nodiscard]] bool ran_out() const { return ran_out_; }
  [[nodiscard]] size_t at() const { return at_; }
  // A look that failed: for good, or because the text ended.
  [[nodiscard]] Look failed() const { return ran_out_ ? kMore : kNothing; }

 private:
  std::string_view text_;
  size_t at_ = 0;
  bool at_end_;
  bool ran_out_ = false;
  bool has_digit_ = false;
};

// ---- forms --------------------------------------------------------------------------------------

struct Prefix {
  std::string_view text;
  WordClass word_class;
  size_t at_least;  // bytes behind the prefix
  bool needs_digit;
  bool at_word_start;
};

constexpr Prefix kPrefixes[] = {
    {"sk-ant-", kWord, 8, false, false}, {"sk-", kWord, 20, true, true},
    {"ghp_", kAlnum, 20, false, false},  {"gho_", kAlnum, 20, false, false},
    {"ghu_", kAlnum, 20, false, false},  {"ghs_", kAlnum, 20, false, false},
    {"ghr_", kAlnum, 20, false, false},  {"github_pat_", kWord, 20, false, false},
    {"glpat-", kWord, 16, false, false}, {"xoxa-", kWord, 10, false, false},
    {"xoxb-", kWord, 10, false, false},  {"xoxe-", kWord, 10, false, false},
    {"xoxp-", kWord, 10, false, false},  {"xoxr-", kWord, 10, false, false},
    {"xoxs-", kWord, 10, false, false},
};

Look look_for_prefix(const Prefix& prefix, std::string_view text, bool at_end) {
  Reader reader(text, at_end);
  if (!reader.take(prefix.text)) return reader.failed();
  const size_t count =
      reader.take_while([&](char c) { return in_class(prefix.word_class, c); }, prefix.at_least);
  if (count < prefix.at_least || (prefix.needs_digit && !reader.has_digit())) {
    return reader.failed();
  }
  return secret(0, reader.at(), prefix.word_class);
}

Look look_for_aws_key(std::string_view text, bool at_end) {
  constexpr size_t kRest = 16;
  Reader reader(text, at_end);
  if (!reader.take("AKIA")) {
    Reader temporary(text, at_end);
    if (!temporary.take("ASIA")) {
      return reader.ran_out() || temporary.ran_out() ? kMore : kNothing;
    }
    reader = temporary;
  }
  const auto is_id = [](char c) { return is_upper(c) || is_digit(c); };
  if (reader.take_while(is_id, kRest) < kRest) return reader.failed();
  return secret(0, reader.at(), 0);
}

Look look_for_jwt(std::string_view text, bool at_end) {
  constexpr size_t kMaxHeader = 4000;
  const auto is_base64 = [](char c) { return in_class(kWord, c); };
  Reader reader(text, at_end);
  if (!reader.take("eyJ")) return reader.failed();
  if (reader.take_while(is_base64, kMaxHeader) < 8 || !reader.take(".")) return reader.failed();
  if (reader.take_while(is_base64, 4) < 4) return reader.failed();
  return secret(0, reader.at(), kJwt);
}

Look look_for_bearer(std::string_view text, bool at_end) {
  constexpr size_t kShown = 20;
  Reader reader(text, at_end);
  if (!reader.take("bearer", true)) return reader.failed();
  if (reader.take_while([](char c) { return c == ' '; }, 4) == 0) return reader.failed();
  const size_t skip = reader.at();
  const size_t count = reader.take_while([](char c) { return in_class(kToken68, c); }, kShown);
  // "Bearer authentication" is prose: a token is long, or has digits in it.
  if (count == kShown || (count >= 8 && reader.has_digit())) {
    return secret(skip, count, kToken68);
  }
  return reader.failed();
}

constexpr std::string_view kNames[] = {
    "password",   "passwd",     "passphrase",  "secret",      "token",
    "apikey",     "api_key",    "api-key",     "access_key",  "access-key",
    "secret_key", "secret-key", "private_key", "account_key", "credential",
};

Look look_for_named_value(std::string_view name, std::string_view text, bool at_end) {
  constexpr size_t kSpaces = 4, kShown = 32;
  Reader reader(text, at_end);
  if (!reader.take(name, true)) return reader.failed();
  const auto is_quote = [](char c) { return c == '"' || c == '\'' || c == '\\'; };
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  bool prose = reader.take_while(is_quote, 2) > 0;
  prose = reader.take_while(is_space, kSpaces) > 0 || prose;
  const auto separator = reader.peek();
  if (!separator || (*separator != '=' && *separator != ':')) return reader.failed();
  prose = prose || *separator == ':';
  reader.take(std::string_view(&*separator, 1));
  prose = reader.take_while(is_space, kSpaces) > 0 || prose;
  (void)reader.take_while([](char c) { return c == '\\'; }, 1);
  WordClass word_class = kValue;
  if (const auto quote = reader.peek(); quote && (*quote == '"' || *quote == '\'')) {
    word_class = *quote == '"' ? kDoubleQuoted : kSingleQuoted;
    reader.take(std::string_view(&*quote, 1));
  }
  const size_t skip = reader.at();
  reader.forget_digits();
  const size_t count = reader.take_while([&](char c) { return in_class(word_class, c); }, kShown);
  // `token: string` is code and `token = next()` too; name=value as programs print it is neither.
  const bool plausible = prose ? count >= 6 && reader.has_digit() : count >= 4;
  if (plausible && (count == kShown || !reader.ran_out())) {
    return secret(skip, count, word_class);
  }
  return reader.failed();
}

constexpr size_t kMaxKeyBlock = 16 << 10;

// "-----BEGIN RSA PRIVATE KEY-----" and its like; the same with END.
Look look_for_key_marker(std::string_view marker, std::string_view text, bool at_end) {
  constexpr size_t kMaxLabel = 48;
  Reader reader(text, at_end);
  if (!reader.take("-----") || !reader.take(marker)) return reader.failed();
  const size_t label_at = reader.at();
  reader.take_while([](char c) { return is_upper(c) || is_digit(c) || c == ' '; }, kMaxLabel);
  const std::string_view label = text.substr(label_at, reader.at() - label_at);
  if (!reader.take("-----") || !label.contains("PRIVATE KEY")) return reader.failed();
  Look look = secret(0, reader.at(), 0);
  look.key = marker == "BEGIN " ? Look::Key::kOpens : Look::Key::kCloses;
  return look;
}

// ---- configured values --------------------------------------------------------------------------

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// The characters of base64 that depend on `value` alone when `offset` (0..2) bytes stand before it
// in its group of three.
std::string base64_core(std::string_view value, size_t offset) {
  const size_t bits = (offset + value.size()) * 8;
  const size_t first = (offset * 8 + 5) / 6;
  std::string core;
  for (size_t i = first; (i + 1) * 6 <= bits; ++i) {
    uint32_t six = 0;
    for (size_t bit = i * 6; bit < i * 6 + 6; ++bit) {
      const size_t byte = bit / 8 - offset;
      six = (six << 1) | ((static_cast<unsigned char>(value[byte]) >> (7 - bit % 8)) & 1);
    }
    core += kBase64[six];
  }
  return core;
}

std::string percent_encoded(std::string_view value, std::string_view digits) {
  std::string encoded;
  for (const char c : value) {
    if (is_alnum(c) || std::string_view("-._~").contains(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += digits[byte >> 4];
    encoded += digits[byte & 15];
  }
  return encoded;
}

std::string json_escaped(std::string_view value) {
  const std::string quoted = dump_json(json::string(value));
  return quoted.substr(1, quoted.size() - 2);
}

void add_forms(std::string_view value, std::set<std::string>& forms) {
  forms.emplace(value);
  forms.insert(json_escaped(value));
  forms.insert(percent_encoded(value, "0123456789ABCDEF"));
  forms.insert(percent_encoded(value, "0123456789abcdef"));
  for (size_t offset = 0; offset < 3; ++offset) {
    std::string core = base64_core(value, offset);
    if (core.size() < Redactor::kMinSecret) continue;
    std::string url_safe = replace_all(replace_all(core, "+", "-"), "/", "_");
    forms.insert(std::move(url_safe));
    forms.insert(std::move(core));
  }
}

}  // namespace

struct Redactor::Table {
  std::vector<std::string> by_first_byte[256];
  bool starts_form[256] = {};

  explicit Table(const std::vector<std::string>& secrets) {
    std::set<std::string> forms;
    for (const auto& value : secrets) {
      const std::string_view trimmed = trim(value);
      if (trimmed.size() < kMinSecret) continue;
      add_forms(trimmed.substr(0, kMaxSecret), forms);
    }
    for (const auto& form : forms)
      by_first_byte[static_cast<unsigned char>(form[0])].push_back(form);
    const auto starts = [this](char c) {
      starts_form[static_cast<unsigned char>(c)] = true;
      if (c >= 'a' && c <= 'z') starts_form[static_cast<unsigned char>(c - 'a' + 'A')] = true;
    };
    for (const auto& prefix : kPrefixes) starts(prefix.text[0]);
    for (const auto name : kNames) starts(name[0]);
    for (const char c : {'A', 'e', 'b', '-'}) starts(c);
  }

  // Calls `with` for each look at `text`'s first byte until it returns false.
  template <typename With>
  void look(std::string_view text, bool at_end, bool word_start, bool in_key, With with) const {
    const auto first = static_cast<unsigned char>(text[0]);
    for (const auto& form : by_first_byte[first]) {
      Reader reader(text, at_end);
      if (!with(reader.take(form) ? secret(0, form.size(), 0) : reader.failed())) return;
    }
    if (!starts_form[first]) return;
    for (const auto& prefix : kPrefixes) {
      if (prefix.text[0] != text[0] || (prefix.at_word_start && !word_start)) continue;
      if (!with(look_for_prefix(prefix, text, at_end))) return;
    }
    switch (text[0]) {
      case 'A':
        if (!with(look_for_aws_key(text, at_end))) return;
        break;
      case 'e':
        if (!with(look_for_jwt(text, at_end))) return;
        break;
      case 'B':
      case 'b':
        if (!with(look_for_bearer(text, at_end))) return;
        break;
      case '-':
        if (!with(look_for_key_marker("BEGIN ", text, at_end))) return;
        if (in_key && !with(look_for_key_marker("END ", text, at_end))) return;
        break;
      default:
        break;
    }
    for (const auto name : kNames) {
      if (name[0] != lower(text[0])) continue;
      if (!with(look_for_named_value(name, text, at_end))) return;
    }
  }
};

Redactor::Redactor(const std::vector<std::string>& secrets)
    : table_(std::make_shared<Table>(secrets)) {}

std::string Redactor::redact(std::string_view text) const {
  StreamRedactor stream(*this);
  std::string result = stream.feed(text);
  return result += stream.finish();
}

std::string StreamRedactor::feed(std::string_view chunk) {
  held_ += chunk;
  return scan(false);
}

std::string StreamRedactor::finish() {
  return scan(true);
}

std::string StreamRedactor::scan(bool at_end) {
  masked_.resize(held_.size(), false);
  std::string result;
  size_t at = 0;
  for (; at < held_.size() && decide(at, at_end); ++at) {
    result += is_masked(at) ? '*' : held_[at];
  }
  before_ += std::string_view(held_).substr(at - std::min<size_t>(at, 2), std::min<size_t>(at, 2));
  if (before_.size() > 2) before_.erase(0, before_.size() - 2);
  held_.erase(0, at);
  masked_.erase(masked_.begin(), masked_.begin() + static_cast<std::ptrdiff_t>(at));
  for (auto& opening : openings_) opening.at -= at;
  return result;
}

// Finds out what begins at held_[at]. False when that depends on bytes that are not there yet.
bool StreamRedactor::decide(size_t at, bool at_end) {
  const auto previous = [&](size_t back) {
    if (back <= at) return held_[at - back];
    const size_t missing = back - at;
    return missing <= before_.size() ? before_[before_.size() - missing] : '\0';
  };
  // In JSON a new line is written \n: the n belongs to no word.
  const bool word_start =
      !in_class(kWord, previous(1)) || (is_alnum(previous(1)) && previous(2) == '\\');
  std::vector<Look> secrets;
  bool decided = true;
  table_->look(std::string_view(held_).substr(at), at_end, word_start, key_bytes_left_ > 0,
               [&](const Look& look) {
                 decided = look.kind != Look::Kind::kMore;
                 if (look.kind == Look::Kind::kSecret) secrets.push_back(look);
                 return decided;
               });
  if (!decided) return false;
  for (const Look& look : secrets) {
    const size_t begin = at + look.skip;
    const size_t end = begin + look.length;
    for (size_t i = begin; i < end; ++i) masked_[i] = true;
    if (look.classes != 0) openings_.push_back({end, look.classes});
    if (look.key != Look::Key::kNone) {
      key_bytes_left_ = look.key == Look::Key::kOpens ? kMaxKeyBlock : 0;
    }
  }
  return true;
}

// Whether held_[at] is hidden; asked once for each byte, in order.
bool StreamRedactor::is_masked(size_t at) {
  for (const auto& opening : openings_) {
    if (opening.at == at) open_classes_ |= opening.classes;
  }
  std::erase_if(openings_, [at](const Opening& opening) { return opening.at <= at; });
  for (const WordClass word_class : kClasses) {
    if ((open_classes_ & word_class) != 0 && !in_class(word_class, held_[at])) {
      open_classes_ &= ~static_cast<uint32_t>(word_class);
    }
  }
  const bool in_key = key_bytes_left_ > 0;
  if (in_key) --key_bytes_left_;
  return masked_[at] || open_classes_ != 0 || in_key;
}

std::vector<std::string> secret_values(const std::map<std::string, std::string>& environment) {
  constexpr std::string_view kNamesOfSecrets[] = {"KEY",      "TOKEN",  "SECRET",
                                                  "PASSWORD", "PASSWD", "CREDENTIAL"};
  std::vector<std::string> values;
  for (const auto& [name, value] : environment) {
    const std::string upper = to_upper(name);
    const bool is_secret = std::ranges::any_of(
        kNamesOfSecrets, [&](std::string_view word) { return upper.contains(word); });
    if (is_secret && value.size() >= Redactor::kMinSecret) values.push_back(value);
  }
  return values;
}

}  // namespace wave
