// Who calls, and what they may do.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace wave::auth {

/// Each role may do what those before it may (promise A5).
enum class Role { kNobody, kViewer, kOperator, kAdmin };
std::string_view to_string(Role role);
std::optional<Role> role_from_name(std::string_view name);

/// How somebody showed who they are.
enum class Method { kNone, kJwt, kCertificate, kSession };
std::string_view to_string(Method method);

struct Identity {
  std::string subject;  // "ci-bot"; "anonymous" in mode none
  Role role = Role::kNobody;
  Method method = Method::kNone;
  std::string token_id;    // the token's jti, the session's id or the certificate's fingerprint
  std::string csrf_token;  // of a session: what its mutating requests have to carry
  std::optional<WallTime> expires_at;  // when the credential ends, streams included (promise E10)
  std::optional<WallTime> issued_at;   // nothing where the credential does not say

  /// "jwt:ci-bot", "mtls:laptop", "session:ada", "anonymous": as the log and the audit keep it.
  [[nodiscard]] std::string actor() const;
};

}  // namespace wave::auth
