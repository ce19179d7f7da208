#include "auth/credential_id.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "auth/token.h"
#include "base/printable.h"
#include "base/text.h"

namespace wave::auth {
namespace {

constexpr size_t kMaxCredentialId = 256;
constexpr size_t kFingerprint = 64;  // hexadecimal digits of SHA-256
constexpr size_t kOwnId = 12;        // characters of random_base32, see `wave token create`

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_own_id(std::string_view text) {
  return text.size() == kOwnId && std::ranges::any_of(text, [](char c) { return c <= '9'; }) &&
         std::ranges::all_of(
             text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t at = 0; at < text.size(); ++at) {
    const bool is_border = at == 8 || at == 13 || at == 18 || at == 23;
    if (is_border ? text[at] != '-' : !is_hex(text[at])) return false;
  }
  return true;
}

// The digits of what tools print: "AB:CD:...", "sha256 Fingerprint=AB:CD:...", "SHA256:abcd...".
// Nothing when it is no row of bytes.
std::optional<std::string> fingerprint_digits(std::string_view text) {
  if (const size_t equals = text.find('='); equals != std::string_view::npos) {
    if (!to_lower(text.substr(0, equals)).ends_with("fingerprint")) return std::nullopt;
    text.remove_prefix(equals + 1);
  } else if (to_lower(text.substr(0, 7)) == "sha256:") {
    text.remove_prefix(7);
  }
  std::string digits;
  const bool has_colons = text.contains(':');
  for (size_t at = 0; at < text.size(); ++at) {
    const bool is_border = has_colons && at % 3 == 2;
    if (is_border ? text[at] != ':' : !is_hex(text[at])) return std::nullopt;
    if (!is_border) digits += text[at];
  }
  const bool is_row = has_colons ? text.size() % 3 == 2 : digits.size() == kFingerprint;
  return is_row ? std::optional(to_lower(digits)) : std::nullopt;
}

Result<std::string> id_of_token(std::string_view token) {
  WAVE_TRY(const TokenParts parts, take_apart(token));
  const auto claims = parse_json(parts.payload, 16);
  std::string id(claims && claims->is_object() ? get_string(claims->as_object(), "jti") : "");
  if (!id.empty()) return id;
  return fail(Code::kUsage, "the token has no id (jti): it cannot be told from others",
              "end everything of its subject that was issued before now, or change the key");
}

}  // namespace

Result<std::string> credential_id(std::string_view text) {
  text = trim(text);
  if (text.empty()) return fail(Code::kUsage, "the id is empty");
  if (std::ranges::count(text, '.') == 2 && take_apart(text)) {
    return fail(Code::kUsage, "this is a token, not the id of one", "give its \"jti\"");
  }
  if (text.size() > kMaxCredentialId) {
    return fail(Code::kUsage, fmt::format("the id is longer than {} bytes", kMaxCredentialId));
  }
  auto digits = fingerprint_digits(text);
  if (!digits) return std::string(text);
  if (digits->size() == kFingerprint) return *std::move(digits);
  // "ab:cd" may be somebody's id; 16 bytes and more are another tool's idea of a fingerprint.
  if (digits->size() < 32) return std::string(text);
  return fail(Code::kUsage,
              fmt::format("a fingerprint of {} bytes is not one of SHA-256", digits->size() / 2),
              "openssl x509 -noout -fingerprint -sha256 -in FILE prints it");
}

Result<std::string> recognize_credential(std::string_view text) {
  text = trim(text);
  if (std::ranges::count(text, '.') == 2) return id_of_token(text);
  WAVE_TRY(std::string id, credential_id(text));
  const bool is_fingerprint = id.size() == kFingerprint && std::ranges::all_of(id, is_hex);
  if (is_fingerprint || is_own_id(id) || is_uuid(id)) return id;
  return fail(Code::kUsage,
              fmt::format("\"{}\" is not a token, a token's id or a certificate's fingerprint",
                          printable(excerpt(text, 80))),
              "for everything of a subject: --subject NAME; for an id of another form: --id ID");
}

}  // namespace wave::auth
