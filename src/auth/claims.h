// What a token says, checked against what the server expects (RFC 7519 section 4.1).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "auth/identity.h"
#include "auth/token.h"

namespace wave::auth {

struct ClaimRules {
  std::string issuer;    // empty: not checked
  std::string audience;  // empty: not checked
  Millis leeway{0};      // by how much clocks may differ
  /// Where the role stands: "role", or a path such as "realm_access.roles". Its value is a text or
  /// a list of texts; the strongest role in it counts.
  std::string role_claim = "role";
  /// From values of that claim to roles; those that name a role stand for themselves unless they
  /// are mapped.
  std::map<std::string, Role> role_mapping;
  /// Of tokens without the claim; kNobody refuses them.
  Role default_role = Role::kNobody;
};

/// The identity a payload stands for at `now`. Every refusal is kUnauthorized with a reason.
Result<Identity> identity_from_claims(std::string_view payload, const ClaimRules& rules,
                                      WallTime now);

}  // namespace wave::auth
