#include "flow/fork.h"

#include "base/text.h"
#include "flow/readiness.h"

namespace wave::flow {
namespace {

bool is_done(const StepState& step) {
  return step.status == StepStatus::kCompleted || step.status == StepStatus::kCompletedEmpty;
}

bool has_gone_wrong(const StepState& step) {
  switch (step.status) {
    case StepStatus::kFailed:
    case StepStatus::kRejected:
    case StepStatus::kCancelled:
    case StepStatus::kInterrupted:
      return true;
    default:
      return false;
  }
}

/// The step to begin at when none is named, or -1.
int where_it_ended(const Program& program, const RunState& origin) {
  if (const int failed = program.index_of(origin.failed_step); failed >= 0) return failed;
  const auto first = [&](auto wanted) {
    for (size_t i = 0; i < origin.steps.size(); ++i) {
      if (!program.steps()[i].rework_only && wanted(origin.steps[i])) return static_cast<int>(i);
    }
    return -1;
  };
  if (const int wrong = first(has_gone_wrong); wrong >= 0) return wrong;
  return first([](const StepState& step) { return !is_satisfied(step); });
}

Result<int> find_start(const Program& program, const RunState& origin,
                       const std::string& from_step) {
  if (from_step.empty()) {
    const int index = where_it_ended(program, origin);
    if (index >= 0) return index;
    return fail(Code::kConflict, fmt::format("every step of run {} is done", origin.run_id),
                "Name the step to begin at with --from-step.");
  }
  const int index = program.index_of(from_step);
  if (index < 0) {
    std::vector<std::string> ids;
    for (const model::Step& step : program.steps()) ids.push_back(step.id);
    const auto meant = did_you_mean(from_step, ids);
    return fail(Code::kNotFound,
                fmt::format("pipeline {} has no step '{}'", origin.pipeline, from_step),
                meant ? fmt::format("Did you mean '{}'?", *meant)
                      : fmt::format("Its steps are: {}.", fmt::join(ids, ", ")));
  }
  if (program.steps()[static_cast<size_t>(index)].rework_only) {
    return fail(Code::kConflict, fmt::format("step '{}' is rework_only", from_step),
                "Begin at the step whose work it repairs.");
  }
  return index;
}

Status check_dependencies(const Program& program, const RunState& origin, int start) {
  for (const int dependency : program.dependencies[static_cast<size_t>(start)]) {
    const StepState& step = origin.steps[static_cast<size_t>(dependency)];
    if (is_satisfied(step)) continue;
    return fail(Code::kConflict,
                fmt::format("step '{}' needs step '{}', which is {} in run {}",
                            origin.steps[static_cast<size_t>(start)].id, step.id,
                            to_string(step.status), origin.run_id),
                fmt::format("Begin at '{}', or at a step before it.", step.id));
  }
  return {};
}

/// The gates in front of what runs again that have to be asked: by index of the step.
std::vector<char> gates_to_ask(const Program& program, const RunState& origin,
                               const std::vector<char>& again, bool all) {
  std::vector<char> asked(origin.steps.size(), 0);
  for (size_t i = 0; i < origin.steps.size(); ++i) {
    if (again[i] == 0) continue;
    for (const int ancestor : program.ancestors(static_cast<int>(i))) {
      const auto index = static_cast<size_t>(ancestor);
      const auto& gate = program.steps()[index].gate;
      const bool approves = gate && gate->type == model::Gate::Type::kApproval;
      // A gate that was never answered is always asked.
      if (approves && again[index] == 0 && (all || !is_done(origin.steps[index]))) asked[index] = 1;
    }
  }
  return asked;
}

json::object taken_over(const StepState& step) {
  json::array artifacts;
  for (const Artifact& artifact : step.artifacts) artifacts.push_back(to_json(artifact));
  json::object taken{{"id", step.id},
                     {"status", to_string(step.status)},
                     {"artifacts", std::move(artifacts)},
                     {"has_tree", step.has_tree},
                     {"changed_tree", step.changed_tree},
                     {"usage", to_json(step.usage)}};
  const auto put = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) taken[name] = value;
  };
  put("skip_reason", step.skip_reason);
  put("workspace", step.workspace);
  put("checkpoint_ref", step.checkpoint_ref);
  put("checkpoint_commit", step.checkpoint_commit);
  put("session", step.session);
  put("adapter", step.adapter);
  put("model", step.model);
  return taken;
}

}  // namespace

Result<json::object> fork_state(const Program& program, const RunState& origin,
                                const std::string& from_step) {
  WAVE_TRY(const int start, find_start(program, origin, from_step));
  WAVE_CHECK(check_dependencies(program, origin, start));
  std::vector<char> again(origin.steps.size(), 0);
  again[static_cast<size_t>(start)] = 1;
  for (const int step : program.descendants(start)) again[static_cast<size_t>(step)] = 1;

  const std::vector<char> asked = gates_to_ask(program, origin, again, !from_step.empty());
  std::vector<char> behind_asked(origin.steps.size(), 0);
  json::array gates;
  for (size_t i = 0; i < asked.size(); ++i) {
    if (asked[i] == 0) continue;
    gates.emplace_back(origin.steps[i].id);
    for (const int step : program.descendants(static_cast<int>(i))) {
      behind_asked[static_cast<size_t>(step)] = 1;
    }
  }

  json::array steps;
  for (size_t i = 0; i < origin.steps.size(); ++i) {
    const StepState& step = origin.steps[i];
    // A gate's decision to jump over a step holds as long as the gate is not asked again.
    const bool jumped_over = step.status == StepStatus::kSkipped &&
                             step.skip_reason == "jumped_over" && behind_asked[i] == 0;
    if (again[i] == 0 && asked[i] == 0 && (is_done(step) || jumped_over)) {
      steps.push_back(taken_over(step));
    }
  }
  const StepState& first = origin.steps[static_cast<size_t>(start)];
  json::object state{{"from_step", first.id}, {"steps", std::move(steps)}};
  if (!gates.empty()) state["asks_again"] = std::move(gates);
  if (first.failure.failure_class != FailureClass::kNone) {
    state["failure"] = {{"step", first.id},
                        {"failure_class", to_string(first.failure.failure_class)},
                        {"code", first.failure.code},
                        {"message", first.failure.message},
                        {"contract_errors", to_array(first.failure.contract_errors)},
                        {"output_tail", first.failure.output_tail}};
  }
  return state;
}

}  // namespace wave::flow
