// What a dry run tells: the steps in the waves in which they could start, and with what.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

struct PlannedStep {
  std::string id, kind, persona, adapter, model, workspace;
  std::vector<std::string> dependencies, contracts;
  std::string left_out;  // why it is not run; empty: it is
};

struct Plan {
  std::string pipeline;
  std::vector<std::vector<PlannedStep>> waves;
  std::vector<PlannedStep> on_demand;  // rework_only: run when another step's work needs repair
};

/// Steps that `options` name must exist (kUsage, with what was probably meant).
Result<Plan> make_plan(const Program& program, const RunOptions& options);
json::object plan_json(const Plan& plan);
/// The plan that plan_json made this of; what is missing is empty.
Plan plan_of(const json::object& plan);

}  // namespace wave::flow
