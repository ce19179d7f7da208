#include "auth/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"

namespace wave::auth {
namespace {

constexpr size_t kMaxClaim = 256;  // bytes of a subject or token id

// A NumericDate; nothing when the claim is absent.
Result<std::optional<WallTime>> time_claim(const json::object& claims, std::string_view name) {
  const json::value* value = find(claims, name);
  if (!value) return std::optional<WallTime>();
  double seconds = 0;
  if (value->is_double()) {
    seconds = value->as_double();
  } else if (value->is_int64()) {
    seconds = static_cast<double>(value->as_int64());
  } else if (value->is_uint64()) {
    seconds = static_cast<double>(value->as_uint64());
  } else {
    return fail(
        token_error(TokenFault::kMalformed, fmt::format("the token's \"{}\" is no number", name)));
  }
  constexpr double kYear9999 = 253'402'300'799;
  if (!std::isfinite(seconds) || seconds < 0) {
    return fail(
        token_error(TokenFault::kMalformed, fmt::format("the token's \"{}\" is no time", name)));
  }
  return WallTime(Millis(static_cast<int64_t>(std::min(seconds, kYear9999) * 1000)));
}

Status check_times(const json::object& claims, const ClaimRules& rules, WallTime now,
                   Identity& identity) {
  WAVE_TRY(const auto expires, time_claim(claims, "exp"));
  WAVE_TRY(const auto not_before, time_claim(claims, "nbf"));
  WAVE_TRY(const auto issued, time_claim(claims, "iat"));
  if (!expires) {
    return fail(token_error(TokenFault::kNoExpiry, "the token has no expiry (\"exp\")",
                            "make one that ends: `wave token create --expires 12h`"));
  }
  if (now >= *expires + rules.leeway) {
    return fail(token_error(TokenFault::kExpired,
                            fmt::format("the token ended at {}", format_time(*expires)),
                            "get a new one"));
  }
  if (not_before && now + rules.leeway < *not_before) {
    return fail(token_error(TokenFault::kNotYet, fmt::format("the token is not valid before {}",
                                                             format_time(*not_before))));
  }
  if (issued && now + rules.leeway < *issued) {
    return fail(token_error(TokenFault::kNotYet, "the token was issued in the future",
                            "compare the clocks, or set server.auth.leeway"));
  }
  identity.expires_at = *expires + rules.leeway;
  identity.issued_at = issued;
  return {};
}

bool names_audience(const json::value* audience, std::string_view wanted) {
  if (!audience) return false;
  if (audience->is_string()) return audience->as_string() == wanted;
  if (!audience->is_array()) return false;
  return std::ranges::any_of(audience->as_array(), [wanted](const json::value& one) {
    return one.is_string() && one.as_string() == wanted;
  });
}

Status check_parties(const json::object& claims, const ClaimRules& rules) {
  if (!rules.issuer.empty() && get_string(claims, "iss") != rules.issuer) {
    return fail(token_error(TokenFault::kIssuer, "the token comes from another issuer"));
  }
  if (!rules.audience.empty() && !names_audience(find(claims, "aud"), rules.audience)) {
    return fail(token_error(TokenFault::kAudience, "the token is meant for somebody else"));
  }
  return {};
}

// The claim at a dotted path; a claim whose own name has dots comes first.
const json::value* claim_at(const json::object& claims, std::string_view path) {
  if (const json::value* whole = find(claims, path)) return whole;
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const json::value* inner = find(claims, path.substr(0, dot));
  return inner && inner->is_object() ? claim_at(inner->as_object(), path.substr(dot + 1)) : nullptr;
}

Role role_of(const json::object& claims, const ClaimRules& rules) {
  const json::value* claim = claim_at(claims, rules.role_claim);
  if (!claim) return rules.default_role;
  Role best = Role::kNobody;
  const auto consider = [&](const json::value& value) {
    if (!value.is_string()) return;
    const std::string name(value.as_string());
    if (const auto mapped = rules.role_mapping.find(name); mapped != rules.role_mapping.end()) {
      best = std::max(best, mapped->second);
    } else {
      best = std::max(best, role_from_name(name).value_or(Role::kNobody));
    }
  };
  if (claim->is_array()) {
    for (const json::value& value : claim->as_array()) consider(value);
  } else {
    consider(*claim);
  }
  return best;
}

bool is_plain_claim(std::string_view text) {
  return text.size() <= kMaxClaim &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

}  // namespace

Result<Identity> identity_from_claims(std::string_view payload, const ClaimRules& rules,
                                      WallTime now) {
  const auto parsed = parse_json(payload, 16);
  if (!parsed || !parsed->is_object()) {
    return fail(token_error(TokenFault::kMalformed, "the token's claims are no JSON object"));
  }
  const json::object& claims = parsed->as_object();
  Identity identity;
  identity.method = Method::kJwt;
  WAVE_CHECK(check_times(claims, rules, now, identity));
  WAVE_CHECK(check_parties(claims, rules));
  identity.subject = get_string(claims, "sub");
  identity.token_id = get_string(claims, "jti");
  if (identity.subject.empty() || !is_plain_claim(identity.subject)) {
    return fail(token_error(TokenFault::kNoSubject, "the token does not say who it is (\"sub\")"));
  }
  if (!is_plain_claim(identity.token_id)) {
    return fail(token_error(TokenFault::kMalformed, "the token's id (\"jti\") is too long"));
  }
  identity.role = role_of(claims, rules);
  if (identity.role == Role::kNobody) {
    return fail(token_error(
        TokenFault::kRole,
        fmt::format("the token's \"{}\" names no role that is known here", rules.role_claim),
        "viewer, operator and admin are; others are mapped by server.auth.roles"));
  }
  return identity;
}

}  // namespace wave::auth
