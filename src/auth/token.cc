#include "auth/token.h"

#include <fmt/format.h>

#include <array>

#include "auth/base64url.h"
#include "base/text.h"

namespace wave::auth {

std::string_view to_string(TokenFault fault) {
  constexpr std::array<std::string_view, 14> kNames{
      "token_malformed",     "token_too_large", "token_algorithm", "token_critical",
      "token_unknown_key",   "token_signature", "token_no_expiry", "token_expired",
      "token_not_yet_valid", "token_issuer",    "token_audience",  "token_no_subject",
      "token_role",          "token_revoked"};
  return kNames[static_cast<size_t>(fault)];
}

Error token_error(TokenFault fault, std::string message, std::string hint) {
  Error error(Code::kUnauthorized, std::move(message), std::move(hint));
  error.reason = to_string(fault);
  return error;
}

Result<TokenParts> take_apart(std::string_view token) {
  if (token.size() > kMaxToken) {
    return fail(token_error(TokenFault::kTooLarge,
                            fmt::format("the token is longer than {} bytes", kMaxToken)));
  }
  const auto malformed = [](std::string message) {
    return fail(token_error(TokenFault::kMalformed, std::move(message)));
  };
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return malformed("the token does not have three parts");
  }
  const auto header = from_base64url(token.substr(0, first));
  auto payload = from_base64url(token.substr(first + 1, second - first - 1));
  auto signature = from_base64url(token.substr(second + 1));
  if (!header || !payload || !signature) return malformed("a part of the token is no base64url");
  auto parsed = parse_json(*header, 8);
  if (!parsed || !parsed->is_object()) return malformed("the token's header is no JSON object");
  return TokenParts{.header = std::move(parsed->as_object()),
                    .payload = *std::move(payload),
                    .signature = *std::move(signature),
                    .signing_input = std::string(token.substr(0, second))};
}

Result<std::string> verify_token(std::string_view token, const KeySet& keys) {
  WAVE_TRY(TokenParts parts, take_apart(token));
  if (parts.header.contains("crit") || parts.header.contains("b64")) {
    return fail(token_error(TokenFault::kCritical, "the token demands extensions"));
  }
  const std::string_view name = get_string(parts.header, "alg");
  const auto algorithm = algorithm_from_name(name);
  bool is_a_keys = false;
  for (const Key& key : keys.keys()) is_a_keys = is_a_keys || key.algorithm() == algorithm;
  if (!algorithm || !is_a_keys) {
    return fail(
        token_error(TokenFault::kAlgorithm,
                    fmt::format("tokens signed with \"{}\" are not accepted", excerpt(name, 32))));
  }
  const auto candidates = keys.candidates(*algorithm, get_string(parts.header, "kid"));
  if (candidates.empty()) {
    return fail(token_error(TokenFault::kUnknownKey, "the token names a key that is not known"));
  }
  for (const Key* key : candidates) {
    if (key->verify(parts.signing_input, parts.signature)) return std::move(parts.payload);
  }
  return fail(token_error(TokenFault::kSignature, "the token's signature does not hold"));
}

Result<std::string> sign_token(const json::object& claims, const Key& key) {
  json::object header{{"alg", to_string(key.algorithm())}, {"typ", "JWT"}};
  if (!key.id().empty()) header["kid"] = key.id();
  std::string token = base64url(dump_json(header)) + "." + base64url(dump_json(claims));
  WAVE_TRY(const std::string signature, key.sign(token));
  return token + "." + base64url(signature);
}

}  // namespace wave::auth
