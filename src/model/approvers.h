// Who may answer a gate, as a pipeline says it: subjects, and roles of the server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wave::model {

/// The role that "role:NAME" names, known or not; nothing when the entry is a subject.
std::optional<std::string_view> approver_role(std::string_view entry);

/// Roles that answer gates, from the least; each may do what those before it may.
const std::vector<std::string>& answering_roles();

/// For people: "ada, role:admin; not who started the run". Empty when everybody may answer.
std::string approvers_text(const std::vector<std::string>& approvers, bool forbid_self_approval);

}  // namespace wave::model
