#include "flow/projection.h"

namespace wave::flow {
namespace {

/// Statuses in which the last failure is news; a step that did better since has none to tell.
bool shows_failure(const StepState& step) {
  switch (step.status) {
    case StepStatus::kFailed:
    case StepStatus::kRejected:
    case StepStatus::kRetrying:
    case StepStatus::kReworking:
      return true;
    case StepStatus::kSkipped:
      return step.skip_reason == "failed";
    default:
      return false;
  }
}

StepRow step_row(const Program& program, const StepState& step, size_t index) {
  StepRow row;
  row.index = static_cast<int>(index);
  row.step = step.id;
  // A step that lacks something stands where it stood, and goes on from there; people see it wait.
  row.status = to_string(step.waits_for.empty() ? step.status : StepStatus::kWaiting);
  row.persona = program.personas[index];
  row.adapter = step.adapter;
  row.model = step.model;
  if (shows_failure(step)) {
    row.error_code = step.failure.code;
    row.error_message = step.failure.message;
  }
  row.workspace = step.workspace;
  row.reason = step.status == StepStatus::kSkipped ? step.skip_reason
               : !step.waits_for.empty()           ? step.waits_for
                                                   : step.reason;
  row.visit = step.visit;
  row.attempt = step.attempt;
  row.interruptions = step.interruptions;
  row.started_at = step.started_at;
  row.finished_at = step.finished_at;
  row.usage = step.usage;
  return row;
}

GateRow gate_row(const StepState& step) {
  const GateState& gate = *step.gate;
  GateRow row;
  row.gate_id = gate.gate_id;
  row.step = step.id;
  row.type = gate.type;
  row.prompt = gate.prompt;
  row.default_choice = gate.default_choice;
  row.outcome = gate.outcome;
  row.choice = gate.choice;
  row.text = gate.text;
  row.by = gate.by;
  row.via = gate.via;
  for (const GateChoiceState& choice : gate.choices) {
    row.choices.push_back(
        json::object{{"key", choice.key}, {"label", choice.label}, {"target", choice.target}});
  }
  row.approvers = gate.approvers;
  row.forbid_self_approval = gate.forbid_self_approval;
  row.freeform = gate.freeform;
  row.resolved = gate.resolved;
  row.opened_at = gate.opened_at;
  row.deadline = gate.deadline;
  row.decided_at = gate.decided_at;
  return row;
}

RunRow run_row(const RunState& state) {
  RunRow row;
  row.run_id = state.run_id;
  row.pipeline = state.pipeline;
  row.status = to_string(state.status);
  row.actor = state.actor;
  row.input = state.options.input;
  row.waiting_reason = state.waiting_reason;
  row.origin_run_id = state.origin_run_id;
  row.failed_step = state.failed_step;
  row.error_code = state.failure.code;
  row.error_message = state.failure.message;
  for (const auto& [key, value] : state.options.tags) row.tags[key] = value;
  row.last_seq = state.last_seq;
  row.queued_at = state.queued_at;
  row.started_at = state.started_at;
  row.finished_at = state.finished_at;
  row.updated_at = state.last_ts;
  row.usage = state.usage;
  row.resuming = state.resuming;
  return row;
}

}  // namespace

Projection project(const Program& program, const RunState& state, uint64_t since_seq) {
  Projection projection;
  projection.run = run_row(state);
  for (size_t i = 0; i < state.steps.size(); ++i) {
    const StepState& step = state.steps[i];
    if (!program.steps()[i].rework_only) {
      projection.run.steps_total += 1;
      projection.run.steps_done += is_terminal(step.status) ? 1 : 0;
    }
    if (step.changed_seq <= since_seq && since_seq != 0) continue;
    projection.steps.push_back(step_row(program, step, i));
    if (step.gate) projection.gates.push_back(gate_row(step));
    projection.artifacts.insert(projection.artifacts.end(), step.artifacts.begin(),
                                step.artifacts.end());
  }
  return projection;
}

}  // namespace wave::flow
