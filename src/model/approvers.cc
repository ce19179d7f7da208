#include "model/approvers.h"

#include "base/text.h"

namespace wave::model {

std::optional<std::string_view> approver_role(std::string_view entry) {
  constexpr std::string_view kPrefix = "role:";
  if (!entry.starts_with(kPrefix)) return std::nullopt;
  return entry.substr(kPrefix.size());
}

const std::vector<std::string>& answering_roles() {
  static const std::vector<std::string> roles{"operator", "admin"};
  return roles;
}

std::string approvers_text(const std::vector<std::string>& approvers, bool forbid_self_approval) {
  const std::string listed = join(approvers, ", ");
  if (!forbid_self_approval) return listed;
  if (listed.empty()) return "anybody but who started the run";
  return listed + "; not who started the run";
}

}  // namespace wave::model
