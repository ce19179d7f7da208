// Masking secrets (promise S6): in events, logs, artifact views and error messages. Every masked
// byte becomes '*', so that lengths and offsets stay as they are.
//
// A secret is a configured value (also in base64, percent-encoded, or escaped for JSON), or what
// has the form of one: AWS access keys, sk-..., sk-ant-..., ghp_ gho_ ghu_ ghs_ ghr_ and
// github_pat_, glpat-, xox?-, JSON Web Tokens, what follows "Bearer", the value in password=...,
// api_key: ... and the like, private key blocks.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wave {

/// Immutable; copies share their table. Thread: any.
class Redactor {
 public:
  /// Configured values shorter than this are no secrets: masking them would garble every text.
  static constexpr size_t kMinSecret = 8;
  /// Of a longer configured value the first so many bytes are looked for.
  static constexpr size_t kMaxSecret = 16 << 10;

  /// Knows the forms only.
  Redactor() : Redactor(std::vector<std::string>{}) {}
  /// Knows these values too. Those shorter than kMinSecret are left out.
  explicit Redactor(const std::vector<std::string>& secrets);

  /// `text` with every secret masked; exactly as long as `text`.
  [[nodiscard]] std::string redact(std::string_view text) const;

 private:
  friend class StreamRedactor;
  struct Table;
  std::shared_ptr<const Table> table_;
};

/// Redacts a stream that comes in chunks: what feed and finish return, put together, is what
/// Redactor::redact makes of the whole, however it was cut. Holds back only bytes whose fate
/// depends on what follows: at most the longest configured value, or 4 KiB. Thread: one at a time.
class StreamRedactor {
 public:
  static constexpr size_t kWordClasses = 7;

  explicit StreamRedactor(const Redactor& redactor) : table_(redactor.table_) {}
  /// What is decided by now.
  std::string feed(std::string_view chunk);
  /// The rest; the stream has ended.
  std::string finish();

 private:
  // The last run of bytes of one class. `open`: it reaches the end of what has arrived, so it may
  // still grow.
  struct Word {
    size_t begin = 0, end = 0;
    bool open = false;
  };
  std::string scan(bool at_end);
  bool decide(size_t at, bool at_end);
  void mask(size_t begin, size_t end);
  void mask_key(size_t begin, size_t end);
  void extend(size_t word_class, size_t begin);

  // Positions are those in held_.
  std::shared_ptr<const Redactor::Table> table_;
  std::string held_;    // what has not been returned yet
  std::string shown_;   // the same, with what is known to be secret masked
  std::string before_;  // the two bytes before held_
  std::array<Word, kWordClasses> words_{};
  size_t key_end_ = 0;  // how far a private key block may reach
};

/// The values in `environment` whose names say that they are secret (KEY, TOKEN, SECRET, PASSWORD,
/// PASSWD or CREDENTIAL in the name) and that are at least Redactor::kMinSecret long.
std::vector<std::string> secret_values(const std::map<std::string, std::string>& environment);

}  // namespace wave
