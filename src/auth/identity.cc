#include "auth/identity.h"

#include <array>
#include <utility>

namespace wave::auth {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 4> kRoles{{
    {Role::kNobody, "nobody"},
    {Role::kViewer, "viewer"},
    {Role::kOperator, "operator"},
    {Role::kAdmin, "admin"},
}};

}  // namespace

std::string_view to_string(Role role) {
  return kRoles[static_cast<size_t>(role)].second;
}

std::optional<Role> role_from_name(std::string_view name) {
  for (const auto& [role, text] : kRoles) {
    if (text == name && role != Role::kNobody) return role;
  }
  return std::nullopt;
}

std::string_view to_string(Method method) {
  switch (method) {
    case Method::kNone:
      return "none";
    case Method::kJwt:
      return "jwt";
    case Method::kCertificate:
      return "mtls";
    case Method::kSession:
      return "session";
  }
  return "none";
}

std::string Identity::actor() const {
  if (method == Method::kNone) return subject.empty() ? "anonymous" : subject;
  return std::string(to_string(method)) + ":" + subject;
}

}  // namespace wave::auth
