// Absolute http and https URLs (RFC 3986, RFC 9110 section 4.2), as far as a client needs them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wave::http {

struct Url {
  bool tls = false;
  std::string host;  // without brackets: "::1"
  uint16_t port = 80;
  std::string target = "/";  // origin-form: path and query, as written

  /// As the Host field has it: "[::1]:8080"; the scheme's own port is left out.
  [[nodiscard]] std::string authority() const;
};

/// kUsage for other schemes, user names, fragments, bad ports, and bytes that no URL has.
Result<Url> parse_url(std::string_view text);

}  // namespace wave::http
