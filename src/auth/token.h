// JSON Web Tokens in their compact form (RFC 7515, RFC 7519, RFC 8725).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/key.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace wave::auth {

/// Longer tokens are refused unread.
constexpr size_t kMaxToken = 8 << 10;

/// Why a token is no good; the Error's reason. Programs depend on the names.
enum class TokenFault {
  kMalformed,   // token_malformed: not three parts of base64url with JSON in them
  kTooLarge,    // token_too_large
  kAlgorithm,   // token_algorithm: not the key's, or none
  kCritical,    // token_critical: `crit` names what nobody here understands
  kUnknownKey,  // token_unknown_key: no key with this id
  kSignature,   // token_signature
  kNoExpiry,    // token_no_expiry: exp is required
  kExpired,     // token_expired
  kNotYet,      // token_not_yet_valid: nbf, or an iat in the future
  kIssuer,      // token_issuer
  kAudience,    // token_audience
  kNoSubject,   // token_no_subject
  kRole,        // token_role: no role that is known here
  kRevoked,     // token_revoked
};
std::string_view to_string(TokenFault fault);
/// kUnauthorized with the fault's reason.
Error token_error(TokenFault fault, std::string message, std::string hint = {});

/// A token taken apart. Nothing in it is to be believed.
struct TokenParts {
  json::object header;
  std::string payload;    // decoded bytes
  std::string signature;  // decoded bytes
  std::string signing_input;
};
/// Splits and decodes. `with_payload_json`: the caller checks that itself.
Result<TokenParts> take_apart(std::string_view token);

/// The payload of a token that one of the keys signed. The algorithm is the key's: the token's word
/// only has to agree with it. `crit` is refused.
Result<std::string> verify_token(std::string_view token, const KeySet& keys);

/// header.payload.signature.
Result<std::string> sign_token(const json::object& claims, const Key& key);

}  // namespace wave::auth
