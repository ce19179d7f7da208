#include "flow/make_event.h"

#include "flow/decide.h"

namespace wave::flow {
namespace {

json::object choice_json(std::string_view key, std::string_view label, std::string_view target) {
  return {{"key", key}, {"label", label}, {"target", target}};
}

std::string_view gate_type_name(model::Gate::Type type) {
  switch (type) {
    case model::Gate::Type::kApproval:
      return "approval";
    case model::Gate::Type::kTimer:
      return "timer";
    case model::Gate::Type::kPrMerge:
      return "pr_merge";
    case model::Gate::Type::kCiPass:
      return "ci_pass";
  }
  return "";
}

json::object interrupt_gate_fields(const StepState& step, Millis timeout) {
  return {{"gate_id", interrupt_gate_id_of(step)},
          {"purpose", "interrupt"},
          {"type", "approval"},
          {"choices", json::array{choice_json("rerun", "Run the step again", ""),
                                  choice_json("fail", "Let the step fail", "")}},
          {"freeform", false},
          {"timeout_ms", timeout.count()}};
}

json::object gate_fields(const model::Gate& gate, const StepState& step, Millis approval_timeout) {
  json::array choices;
  for (const model::GateChoice& choice : gate.choices) {
    choices.push_back(choice_json(choice.key, choice.label, choice.target));
  }
  const bool timer = gate.type == model::Gate::Type::kTimer;
  const Millis timeout = gate.timeout.value_or(timer ? Millis(0) : approval_timeout);
  json::object fields{{"gate_id", gate_id_of(step)},       {"purpose", "gate"},
                      {"type", gate_type_name(gate.type)}, {"choices", std::move(choices)},
                      {"freeform", gate.freeform},         {"timeout_ms", timeout.count()}};
  if (!gate.default_choice.empty()) fields["default"] = gate.default_choice;
  if (!gate.approvers.empty()) fields["approvers"] = to_array(gate.approvers);
  if (gate.forbid_self_approval) fields["forbid_self_approval"] = true;
  return fields;
}

}  // namespace

Event step_event(Kind kind, const Program& program, const RunState& state, size_t step,
                 json::object data) {
  const StepState& at = state.steps[step];
  Event event;
  event.kind = kind;
  event.step = at.id;
  event.persona = program.personas[step];
  event.visit = at.visit;
  event.attempt = at.attempt;
  event.data = std::move(data);
  return event;
}

Event run_end(Kind kind, const RunState& state, std::string_view status, json::object data) {
  Event event;
  event.kind = kind;
  event.data = std::move(data);
  event.data["status"] = status;
  event.data["duration_ms"] = elapsed_ms(state, state.started_at);
  event.data["usage"] = to_json(state.usage);
  if (!state.leaked.empty()) event.data["leaked"] = state.leaked;
  return event;
}

json::object failure_fields(const Failure& failure) {
  json::object fields{{"failure_class", to_string(failure.failure_class)},
                      {"code", failure.code},
                      {"message", failure.message}};
  if (!failure.contract_errors.empty()) fields["errors"] = to_array(failure.contract_errors);
  return fields;
}

int64_t elapsed_ms(const RunState& state, const std::optional<WallTime>& since) {
  return since ? (state.last_ts - *since).count() : 0;
}

std::string gate_id_of(const StepState& step) {
  return fmt::format("{}.{}", step.id, step.visit);
}

std::string interrupt_gate_id_of(const StepState& step) {
  return fmt::format("{}.{}!{}", step.id, step.visit, step.interruptions + step.disk_interruptions);
}

Event gate_waiting(const Program& program, const RunState& state, const Operation& operation,
                   const std::string& prompt) {
  const auto index = static_cast<size_t>(program.index_of(operation.step));
  const StepState& step = state.steps[index];
  const auto& gate = program.steps()[index].gate;
  const Millis approval = program.project.manifest.runtime.timeouts.gate_approval;
  json::object fields = operation.purpose == "interrupt" || !gate
                            ? interrupt_gate_fields(step, approval)
                            : gate_fields(*gate, step, approval);
  fields["prompt"] = prompt;
  return step_event(Kind::kGateWaiting, program, state, index, std::move(fields));
}

Event gate_resolved(const GateState& gate, const std::string& step, int visit, std::string outcome,
                    std::string choice, std::string text, std::string by, std::string via) {
  Event event;
  event.kind = Kind::kGateResolved;
  event.step = step;
  event.visit = visit;
  event.attempt = gate.attempt;
  event.actor = by;
  event.data = {{"gate_id", gate.gate_id}, {"outcome", outcome}};
  const auto put = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) event.data[name] = value;
  };
  const auto chosen = std::ranges::find(gate.choices, choice, &GateChoiceState::key);
  put("choice", choice);
  if (chosen != gate.choices.end()) {
    put("label", chosen->label);
    put("target", chosen->target);
  }
  put("text", text);
  put("by", by);
  put("via", via);
  return event;
}

Event timer_fired(const TimerState& timer) {
  Event event;
  event.kind = Kind::kTimerFired;
  event.step = timer.step;
  event.visit = timer.visit;
  event.attempt = timer.attempt;
  event.data = {{"timer", timer.id}, {"purpose", timer.purpose}};
  return event;
}

Event run_cancel_requested(std::string by, std::string reason, bool force) {
  Event event;
  event.kind = Kind::kRunCancelRequested;
  event.actor = by;
  event.data = {{"by", std::move(by)}, {"reason", std::move(reason)}, {"force", force}};
  return event;
}

Event run_stop_requested(std::string by, const std::string& reason) {
  Event event;
  event.kind = Kind::kRunStopRequested;
  event.actor = by;
  event.data = {{"by", std::move(by)}};
  if (!reason.empty()) event.data["reason"] = reason;
  return event;
}

}  // namespace wave::flow
