// Regular expressions as JSON Schema has them: ECMA-262 with the `u` flag, never anchored. RE2 runs
// them in linear time; what it lacks (look-around, back-references) goes to PCRE2 under a match
// limit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wave::contract {

/// Thread: match from any, at the same time.
class EcmaRegex {
 public:
  /// kUsage, with the place in the pattern, when it is not one.
  static Result<EcmaRegex> compile(std::string_view pattern);
  EcmaRegex(EcmaRegex&&) noexcept;
  EcmaRegex& operator=(EcmaRegex&&) noexcept;
  ~EcmaRegex();

  /// Whether the pattern is found anywhere in `text` (UTF-8). Adds to `steps` what the search cost,
  /// in units of some hundred nanoseconds. kLimit when PCRE2 gave up.
  [[nodiscard]] Result<bool> search(std::string_view text, uint64_t& steps) const;

 private:
  struct Impl;
  explicit EcmaRegex(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

/// An ECMA pattern in the syntax that RE2 and PCRE2 share.
struct TranslatedPattern {
  std::string text;
  bool needs_backtracking = false;  // look-around or back-references: RE2 cannot
};

/// ECMA's meaning where the engines differ: \d \w \s . ^ $ \uXXXX \cX \p{...} [] [^].
Result<TranslatedPattern> translate_pattern(std::string_view pattern);

}  // namespace wave::contract
