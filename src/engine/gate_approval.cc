#include "engine/gate_approval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "model/approvers.h"

namespace wave::engine {
namespace {

/// A role is a floor: admin does what operator may.
bool has_role(const std::string& role, std::string_view wanted) {
  const std::vector<std::string>& roles = model::answering_roles();
  const auto has = std::ranges::find(roles, role);
  const auto wants = std::ranges::find(roles, wanted);
  return has != roles.end() && wants != roles.end() && has >= wants;
}

bool is_approver(const flow::GateRow& gate, const Person& person) {
  if (!has_role(person.role, model::answering_roles().front())) return false;
  if (gate.approvers.empty()) return true;
  return std::ranges::any_of(gate.approvers, [&person](const std::string& approver) {
    const auto role = model::approver_role(approver);
    return role ? has_role(person.role, *role) : approver == person.subject;
  });
}

std::string who_may(const flow::GateRow& gate) {
  const std::string who = model::approvers_text(gate.approvers, gate.forbid_self_approval);
  return "who may answer: " + (who.empty() ? "everybody with the role operator" : who);
}

}  // namespace

std::string subject_of(const std::string& actor) {
  constexpr std::array<std::string_view, 4> kWays{"jwt:", "session:", "mtls:", "cli:"};
  for (const std::string_view way : kWays) {
    if (actor.starts_with(way)) return actor.substr(way.size());
  }
  return actor;
}

Status check_person(const flow::GateRow& gate, const std::string& submitter, const Person& person) {
  const std::string name = person.subject.empty() ? "this caller" : person.subject;
  if (!is_approver(gate, person)) {
    Error refused(Code::kPermissionDenied,
                  fmt::format("{} may not answer gate {}", name, gate.gate_id), who_may(gate));
    refused.reason = "not_an_approver";
    return fail(std::move(refused));
  }
  if (gate.forbid_self_approval && person.subject == subject_of(submitter)) {
    Error refused(
        Code::kGateSelfDecision,
        fmt::format("{} started the run and may not answer its gate {}", name, gate.gate_id),
        who_may(gate));
    refused.reason = "self_approval";
    return fail(std::move(refused));
  }
  return {};
}

}  // namespace wave::engine
