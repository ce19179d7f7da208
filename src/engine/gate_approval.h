// Who may answer a gate: one rule for the command line, the API and the browser.
#pragma once

#include <string>

#include "base/result.h"
#include "flow/projection.h"

namespace wave::engine {

/// Who wants to answer, as the door they came through knows them.
struct Person {
  std::string subject;  // "ada", however she showed who she is
  std::string role;     // viewer, operator, admin
};

/// The subject of an actor: "ada" of "jwt:ada", "session:ada", "mtls:ada" and "cli:ada"; others
/// ("webhook:push", "anonymous") are their own.
std::string subject_of(const std::string& actor);

/// Whether `person` may answer the gate of a run that `submitter` (an actor) started.
/// kPermissionDenied when the gate names others, or nobody and the role is not enough;
/// kGateSelfDecision when it wants somebody else than the submitter. The hint names who may. What
/// answers by itself (a deadline, `auto`) is no person and does not come here.
Status check_person(const flow::GateRow& gate, const std::string& submitter, const Person& person);

}  // namespace wave::engine
