// Masking secrets (promise S6): in events, logs, artifact views and error messages. Every masked byte
// becomes '*', so that lengths and offsets stay as they are.
//
// A secret is a configured value (also in base64 and percent-encoded), or what has the form of one:
// AWS access keys, sk-..., sk-ant-..., ghp_ gho_ ghu_ ghs_ ghr_ and github_pat_, glpat-, xox?-, JSON Web
// Tokens, what follows "Bearer", the value in password=..., api_key: ... and the like, private key blocks.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace wave {

/// Immutable; copies share their tables. Thread: any.
class Redactor {
 public:
  /// No secret that is longer is found as a whole: its first kMaxSecret bytes are masked, and what follows
  /// as long as it looks like the same word. Bounds what StreamRedactor holds back.
  static constexpr size_t kMaxSecret = 16 << 10;
  /// Configured values shorter than this are not secrets: masking them would garble every text.
  static constexpr size_t kMinSecret = 8;

  /// Knows the forms only.
  Redactor();
  /// Knows these values too. Values shorter than kMinSecret are left out.
  explicit Redactor(const std::vector<std::string>& secrets);

  /// `text` with every secret masked; exactly as long as `text`.
  [[nodiscard]] std::string redact(std::string_view text) const;

 private:
  friend class StreamRedactor;
  struct Span {
    size_t begin, end;
  };
  struct Table;
  [[nodiscard]] std::vector<Span> find(std::string_view text) const;

  std::shared_ptr<const Table> table_;
};

/// Redacts a stream that comes in chunks: the concatenation of what feed and finish return is what redact
/// makes of the whole, however it was cut. Holds back the last line as far as it is known, at most
/// kMaxSecret bytes of it. Thread: one at a time.
class StreamRedactor {
 public:
  explicit StreamRedactor(Redactor redactor) : redactor_(std::move(redactor)) {}
  std::string feed(std::string_view chunk);
  std::string finish();

 private:
  Redactor redactor_;
  std::string held_;
};

/// The values of `environment` whose names say that they are secret (KEY, TOKEN, SECRET, PASSWORD,
/// PASSWD, CREDENTIAL in the name) and that are at least kMinSecret long.
std::vector<std::string> secret_values(const std::map<std::string, std::string>& environment);

}  // namespace wave
