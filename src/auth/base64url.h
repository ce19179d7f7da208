// base64url without padding (RFC 4648 section 5, RFC 7515 section 2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace wave::auth {

std::string base64url(std::string_view bytes);
/// Strict: no padding, no other characters, no bits left over that are not 0. One text stands for
/// one value, so that a token has one spelling.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace wave::auth
