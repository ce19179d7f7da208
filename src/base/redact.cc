#include "base/redact.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>

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
static_assert(kClasses.size() == StreamRedactor::kWordClasses);

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
    if (!ignore_case && text_.substr(at_).starts_with(word)) {
      at_ += word.size();
      return true;
    }
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

// A secret is looked for only where its first four bytes, in lower case, match. A bitmap over the
// hashes of those bytes rules out almost every position at the speed of a scan.
struct Redactor::Table {
  enum class What : uint8_t { kForm, kPrefix, kAwsKey, kJwt, kBearer, kKeyMarker, kName };
  struct Pattern {
    What what;
    size_t index = 0;  // of the form, prefix or name
  };
  static constexpr size_t kStart = 4;

  std::vector<std::string> forms;
  std::unordered_map<uint32_t, std::vector<Pattern>> by_start;
  std::vector<Pattern> by_first_byte[256];  // for what stands too near to the end
  std::array<uint64_t, (1 << 16) / 64> may_start{};
  std::array<uint8_t, 256> classes{};  // the word classes of each byte
  bool rulers_may_start = false;       // a form begins with dashes

  explicit Table(const std::vector<std::string>& secrets) {
    std::set<std::string> all;
    for (const auto& value : secrets) {
      const std::string_view trimmed = trim(value);
      if (trimmed.size() < kMinSecret) continue;
      add_forms(trimmed.substr(0, kMaxSecret), all);
    }
    forms.assign(all.begin(), all.end());
    for (size_t i = 0; i < forms.size(); ++i) {
      add(forms[i], {What::kForm, i});
      rulers_may_start |= forms[i].starts_with("----");
    }
    for (size_t i = 0; i < std::size(kPrefixes); ++i) add(kPrefixes[i].text, {What::kPrefix, i});
    for (size_t i = 0; i < std::size(kNames); ++i) add(kNames[i], {What::kName, i});
    add("AKIA", {What::kAwsKey});
    add("ASIA", {What::kAwsKey});
    add("eyJ", {What::kJwt});
    add("bearer", {What::kBearer});
    add("-----", {What::kKeyMarker});
    for (size_t byte = 0; byte < classes.size(); ++byte) {
      for (const WordClass one : kClasses) {
        if (!in_class(one, static_cast<char>(byte))) continue;
        classes[byte] = static_cast<uint8_t>(classes[byte] | one);
      }
    }
  }

  // Lowers letters, and changes some other bytes too. That is harmless, because every lookup and
  // every entry goes through it.
  static uint32_t start_of(const char* bytes) {
    uint32_t four = 0;
    std::memcpy(&four, bytes, kStart);
    return four | 0x20202020U;
  }
  static uint32_t hash(uint32_t start) { return (start * 0x9E3779B1U) >> 16; }
  [[nodiscard]] bool is_start(uint32_t start) const {
    const uint32_t bit = hash(start);
    return ((may_start[bit / 64] >> (bit % 64)) & 1) != 0;
  }

  void add(std::string_view text, Pattern pattern) {
    std::string start(text.substr(0, kStart));
    if (start.size() == kStart) {
      add_start(start, pattern);
    } else {  // three bytes, and whatever follows
      start.push_back('\0');
      for (int last = 0; last < 256; ++last) {
        start.back() = static_cast<char>(last);
        add_start(start, pattern);
      }
    }
    const char first = lower(text[0]);
    for (const char c : {first, static_cast<char>(first & ~0x20)}) {
      if (lower(c) == first) add_once(by_first_byte[static_cast<unsigned char>(c)], pattern);
    }
  }

  void add_start(const std::string& start, Pattern pattern) {
    const uint32_t key = start_of(start.data());
    add_once(by_start[key], pattern);
    may_start[hash(key) / 64] |= uint64_t{1} << (hash(key) % 64);
  }

  static void add_once(std::vector<Pattern>& patterns, Pattern pattern) {
    const bool is_there = std::ranges::any_of(patterns, [&](const Pattern& other) {
      return other.what == pattern.what && other.index == pattern.index;
    });
    if (!is_there) patterns.push_back(pattern);
  }

  // The first position from `at` on where something may begin.
  [[nodiscard]] size_t next_start(std::string_view text, size_t at) const {
    const char* bytes = text.data();
    for (; at + kStart <= text.size(); ++at) {
      // Four positions at a time, as long as there is nothing.
      while (at + kStart + 3 <= text.size() &&
             !(is_start(start_of(bytes + at)) || is_start(start_of(bytes + at + 1)) ||
               is_start(start_of(bytes + at + 2)) || is_start(start_of(bytes + at + 3)))) {
        at += 4;
      }
      if (at + kStart > text.size()) break;
      if (!is_start(start_of(bytes + at))) continue;
      // Of a ruler of dashes only the last five may begin a key block.
      constexpr std::string_view kRuler = "------";
      if (rulers_may_start || !text.substr(at).starts_with(kRuler)) return at;
      at = std::min(text.find_first_not_of('-', at), text.size()) - kRuler.size();
    }
    while (at < text.size() && by_first_byte[static_cast<unsigned char>(bytes[at])].empty()) ++at;
    return std::min(at, text.size());
  }

  [[nodiscard]] std::span<const Pattern> patterns_at(std::string_view text) const {
    if (text.size() < kStart) return by_first_byte[static_cast<unsigned char>(text[0])];
    const auto found = by_start.find(start_of(text.data()));
    if (found == by_start.end()) return {};
    return found->second;
  }

  // Calls `with` for each look at `text`'s beginning until it returns false.
  template <typename With>
  void look(std::string_view text, bool at_end, bool word_start, bool in_key, With with) const {
    for (const Pattern& pattern : patterns_at(text)) {
      const bool is_end_marker = pattern.what == What::kKeyMarker && in_key;
      if (is_end_marker && !with(look_for_key_marker("END ", text, at_end))) return;
      if (!with(look_for(pattern, text, at_end, word_start))) return;
    }
  }

  [[nodiscard]] Look look_for(const Pattern& pattern, std::string_view text, bool at_end,
                              bool word_start) const {
    switch (pattern.what) {
      case What::kForm: {
        const std::string& form = forms[pattern.index];
        Reader reader(text, at_end);
        return reader.take(form) ? secret(0, form.size(), 0) : reader.failed();
      }
      case What::kPrefix: {
        const Prefix& prefix = kPrefixes[pattern.index];
        if (prefix.at_word_start && !word_start) return kNothing;
        return look_for_prefix(prefix, text, at_end);
      }
      case What::kAwsKey:
        return look_for_aws_key(text, at_end);
      case What::kJwt:
        return look_for_jwt(text, at_end);
      case What::kBearer:
        return look_for_bearer(text, at_end);
      case What::kKeyMarker:
        return look_for_key_marker("BEGIN ", text, at_end);
      case What::kName:
        return look_for_named_value(kNames[pattern.index], text, at_end);
    }
    return kNothing;
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
  const size_t old_size = held_.size();
  held_ += chunk;
  shown_ += chunk;
  for (size_t i = 0; i < kWordClasses; ++i) {
    if (words_[i].open) extend(i, old_size);
  }
  return scan(false);
}

std::string StreamRedactor::finish() {
  return scan(true);
}

std::string StreamRedactor::scan(bool at_end) {
  size_t at = 0;
  while (true) {
    const size_t next = table_->next_start(held_, at);
    mask_key(at, next);
    at = next;
    if (at == held_.size() || !decide(at, at_end)) break;
    mask_key(at, at + 1);
    ++at;
  }
  const std::string_view told = std::string_view(held_).substr(0, at);
  before_ += told.substr(at - std::min<size_t>(at, 2));
  if (before_.size() > 2) before_.erase(0, before_.size() - 2);
  std::string result = shown_.substr(at);
  result.swap(shown_);
  result.resize(at);
  held_.erase(0, at);
  const auto forget = [at](size_t& position) { position -= std::min(position, at); };
  forget(key_end_);
  for (Word& word : words_) {
    forget(word.begin);
    forget(word.end);
  }
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
  table_->look(std::string_view(held_).substr(at), at_end, word_start, key_end_ > at,
               [&](const Look& look) {
                 decided = look.kind != Look::Kind::kMore;
                 if (look.kind == Look::Kind::kSecret) secrets.push_back(look);
                 return decided;
               });
  if (!decided) return false;
  for (const Look& look : secrets) {
    const size_t end = at + look.skip + look.length;
    mask(at + look.skip, end);
    for (size_t i = 0; i < kWordClasses; ++i) {
      if ((look.classes & kClasses[i]) != 0) extend(i, end);
    }
    if (look.key == Look::Key::kOpens) key_end_ = at + kMaxKeyBlock;
    if (look.key == Look::Key::kCloses) key_end_ = at;
  }
  return true;
}

void StreamRedactor::mask(size_t begin, size_t end) {
  std::fill(shown_.begin() + static_cast<std::ptrdiff_t>(begin),
            shown_.begin() + static_cast<std::ptrdiff_t>(end), '*');
}

// Masks what lies within a private key block.
void StreamRedactor::mask_key(size_t begin, size_t end) {
  if (key_end_ > begin) mask(begin, std::min(end, key_end_));
}

// Masks the rest of the word that holds `begin`, or what has arrived of it. Secrets that begin
// within one word end with it.
void StreamRedactor::extend(size_t word_class, size_t begin) {
  Word& word = words_[word_class];
  size_t end = begin;
  while (end < held_.size()) {
    if (word.begin <= end && end < word.end) {
      end = word.end;
      continue;
    }
    const auto byte = static_cast<unsigned char>(held_[end]);
    if ((table_->classes[byte] & kClasses[word_class]) == 0) break;
    ++end;
  }
  if (end > begin) mask(begin, end);
  if (end < word.end) return;
  const bool goes_on = word.begin <= begin && begin <= word.end && word.begin < word.end;
  word = {.begin = goes_on ? word.begin : begin, .end = end, .open = end == held_.size()};
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
