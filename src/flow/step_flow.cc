#include "flow/step_flow.h"

#include "flow/make_event.h"
#include "flow/model_choice.h"
#include "flow/retry.h"

namespace wave::flow {
namespace {

using HookEvent = model::Hook::Event;
using model::OnFailure;
using model::StepKind;

Action emitting(Event event) {
  Action action;
  action.emit.push_back(std::move(event));
  return action;
}

bool has_git_workspace(const model::Step& step) {
  return step.workspace.kind == model::Workspace::Kind::kWorktree ||
         step.workspace.kind == model::Workspace::Kind::kRef;
}

bool has_outputs(const model::Step& step) {
  return !step.output_artifacts.empty() || !step.outcomes.empty() || has_git_workspace(step) ||
         !step.contracts.empty();
}

/// A worktree that nothing was done in, by a step that had nothing else to show.
bool came_to_nothing(const model::Step& step, const StepState& state) {
  return step.workspace.kind == model::Workspace::Kind::kWorktree && state.has_tree &&
         !state.changed_tree && step.output_artifacts.empty();
}

bool is_this_visits_gate(const StepState& step) {
  return step.gate && step.gate->purpose == "gate" && step.gate->gate_id == gate_id_of(step);
}

Failure gate_failure(const StepState& step, std::string_view code, std::string message) {
  return {.failure_class = FailureClass::kGate,
          .code = std::string(code),
          .message = fmt::format("gate '{}': {}", step.gate->gate_id, message),
          .contract_errors = {},
          .output_tail = {}};
}

Failure interruption_failure(const StepState& step) {
  const int times = step.interruptions + step.disk_interruptions;
  return {.failure_class = FailureClass::kInterruptedRepeatedly,
          .code = std::string(code_name(Code::kInterrupted)),
          .message = fmt::format("interrupted {} time{} ({})", times, times == 1 ? "" : "s",
                                 step.interruption),
          .contract_errors = {},
          .output_tail = {}};
}

}  // namespace

std::optional<Operation> next_hook(const Program& program, const RunState& state, int step,
                                   HookEvent event) {
  const size_t count = program.hook_count(event, step);
  if (count == 0) return std::nullopt;
  const StepState* of = step < 0 ? nullptr : &state.steps[static_cast<size_t>(step)];
  const auto& done = of == nullptr ? state.hooks_done : of->hooks_done;
  const auto found = done.find(std::string(hook_event_name(event)));
  const size_t next = found == done.end() ? 0 : found->second;
  if (next >= count) return std::nullopt;
  Operation operation;
  operation.kind = OperationKind::kRunHook;
  operation.hook_event = event;
  operation.index = next;
  if (of != nullptr) {
    operation.step = of->id;
    operation.visit = of->visit;
    operation.attempt = of->attempt;
    operation.round = of->rework_rounds;
    operation.restart = of->restarts;
  }
  return operation;
}

// --- small pieces ---

std::optional<Action> StepFlow::hook(size_t step, HookEvent event) const {
  auto operation = next_hook(program_, state_, static_cast<int>(step), event);
  if (!operation) return std::nullopt;
  Action action;
  action.operation = std::move(operation);
  return action;
}

Action StepFlow::operate(size_t step, OperationKind kind, size_t index) const {
  const StepState& at = state_of(step);
  Operation operation;
  operation.kind = kind;
  operation.step = at.id;
  operation.visit = at.visit;
  operation.attempt = at.attempt;
  operation.index = index;
  operation.round = at.rework_rounds;
  operation.restart = at.restarts;
  Action action;
  action.operation = std::move(operation);
  return action;
}

Event StepFlow::timer(size_t step, std::string id, std::string_view purpose, Millis delay) const {
  return step_event(Kind::kTimerSet, program_, state_, step,
                    {{"timer", std::move(id)}, {"purpose", purpose}, {"delay_ms", delay.count()}});
}

Action StepFlow::start(size_t step, std::string_view reason, std::string_view rework_for) const {
  const model::Step& model = model_of(step);
  Event event = step_event(Kind::kStepStarted, program_, state_, step,
                           {{"reason", reason}, {"kind", model::to_string(model.kind)}});
  if (reason == "first" || reason == "jump" || reason == "rework") {
    event.visit += 1;
    event.attempt = 1;
  } else if (reason == "retry") {
    event.attempt += 1;
  }
  if (!rework_for.empty()) event.data["rework_for"] = rework_for;
  if (model.kind == StepKind::kPersona) {
    const auto& manifest = program_.project.manifest;
    const auto persona = manifest.personas.find(event.persona);
    const ModelChoice choice = choose_model(
        manifest, model, persona == manifest.personas.end() ? nullptr : &persona->second,
        state_.options, event.attempt);
    if (!choice.adapter.empty()) event.data["adapter"] = choice.adapter;
    if (!choice.model.empty()) event.data["model"] = choice.model;
  }
  Action action = emitting(std::move(event));
  action.starts = static_cast<int>(step);
  return action;
}

/// Jumps back have bounds: of the step, and of all steps together. First visits and reworks, which
/// have bounds of their own, do not count.
bool StepFlow::is_visited_too_often(size_t step) const {
  if (state_of(step).visit == 0) return false;
  if (state_of(step).visit >= std::max(model_of(step).max_visits, 1)) return true;
  int repeated = 0;
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    if (!model_of(i).rework_only) repeated += std::max(state_of(i).visit - 1, 0);
  }
  return repeated >= std::max(program_.project.pipeline.max_step_visits, 1);
}

Action StepFlow::begin(size_t step) const {
  if (!is_visited_too_often(step)) {
    return start(step, state_of(step).visit == 0 ? "first" : "jump");
  }
  const Failure failure{
      .failure_class = FailureClass::kVisitLimit,
      .code = std::string(code_name(Code::kLimit)),
      .message = fmt::format("step '{}' was begun {} times, and the run was sent back as often as "
                             "max_visits and max_step_visits allow",
                             state_of(step).id, state_of(step).visit),
      .contract_errors = {},
      .output_tail = {}};
  json::object fields = failure_fields(failure);
  fields["status"] = "failure";
  fields["tolerated"] = false;
  return emitting(step_event(Kind::kStepFailed, program_, state_, step, std::move(fields)));
}

// --- failing ---

Action StepFlow::fail_for_good(size_t step, const Failure& failure, bool tolerated) const {
  if (auto action = hook(step, HookEvent::kStepFailed)) return *std::move(action);
  const StepState& at = state_of(step);
  json::object fields = failure_fields(failure);
  fields["status"] = "failure";
  fields["tolerated"] = tolerated;
  fields["duration_ms"] = elapsed_ms(state_, at.started_at);
  fields["usage"] = to_json(at.usage);
  return emitting(step_event(Kind::kStepFailed, program_, state_, step, std::move(fields)));
}

bool StepFlow::can_be_reworked_by(size_t step, const std::string& target) const {
  const int index = target.empty() ? -1 : program_.index_of(target);
  return index >= 0 && index != static_cast<int>(step) && !last_chance_;
}

Action StepFlow::rework(size_t step, const Failure& failure, const std::string& target,
                        std::optional<size_t> contract) const {
  json::object fields = failure_fields(failure);
  fields["target"] = target;
  fields["round"] = state_of(step).rework_rounds + 1;
  if (contract) fields["index"] = *contract;
  return emitting(step_event(Kind::kStepReworking, program_, state_, step, std::move(fields)));
}

/// No attempt is left: the step's on_failure policy says what that means.
Action StepFlow::give_up(size_t step, const Failure& failure) const {
  const model::Step& model = model_of(step);
  const StepState& at = state_of(step);
  // A repair that failed is the failure of the step it was for, which says so itself.
  if (!at.rework_for.empty()) return fail_for_good(step, failure, true);
  OnFailure policy = model.on_failure();
  if (policy == OnFailure::kRework) {
    const std::string& target = model.retry.rework_step;
    if (at.rework_rounds == 0 && can_be_reworked_by(step, target)) {
      return rework(step, failure, target, std::nullopt);
    }
    policy = model.optional ? OnFailure::kContinue : OnFailure::kFail;
  }
  if (policy == OnFailure::kSkip) {
    json::object fields = failure_fields(failure);
    fields["status"] = "skipped";
    fields["reason"] = "failed";
    return emitting(step_event(Kind::kStepSkipped, program_, state_, step, std::move(fields)));
  }
  return fail_for_good(step, failure, policy == OnFailure::kContinue);
}

Action StepFlow::after_failure(size_t step) const {
  const model::Step& model = model_of(step);
  const StepState& at = state_of(step);
  if (last_chance_ || !can_retry(program_, state_, model, at)) return give_up(step, at.failure);
  if (auto action = hook(step, HookEvent::kStepRetrying)) return *std::move(action);
  json::object fields = failure_fields(at.failure);
  fields["next_attempt"] = at.attempt + 1;
  fields["delay_ms"] = retry_wait(model, at).count();
  Action action =
      emitting(step_event(Kind::kStepRetrying, program_, state_, step, std::move(fields)));
  Action wait = retrying(step);
  std::ranges::move(wait.emit, std::back_inserter(action.emit));
  return action;
}

Action StepFlow::after_contract(size_t step) const {
  const StepState& at = state_of(step);
  const model::Contract& contract = model_of(step).contracts[at.failing_contract];
  if (contract.on_failure == OnFailure::kRejected) {
    json::object fields{{"status", "rejected"},
                        {"index", at.failing_contract},
                        {"type", contract.type},
                        {"message", at.failure.message},
                        {"errors", to_array(at.failure.contract_errors)},
                        {"duration_ms", elapsed_ms(state_, at.started_at)}};
    return emitting(step_event(Kind::kStepRejected, program_, state_, step, std::move(fields)));
  }
  const std::string& target =
      contract.rework_step.empty() ? model_of(step).retry.rework_step : contract.rework_step;
  if (!can_be_reworked_by(step, target)) return after_failure(step);
  if (at.rework_rounds < std::max(contract.max_retries, 1)) {
    return rework(step, at.failure, target, at.failing_contract);
  }
  return give_up(step, at.failure);
}

// --- one function per status ---

Action StepFlow::complete(size_t step, std::vector<Event> before) const {
  if (auto action = hook(step, HookEvent::kStepCompleted)) return *std::move(action);
  const StepState& at = state_of(step);
  json::object fields{{"status", came_to_nothing(model_of(step), at) ? "empty" : "success"},
                      {"duration_ms", elapsed_ms(state_, at.started_at)},
                      {"usage", to_json(at.usage)}};
  if (!at.reworked_by.empty()) fields["reworked_by"] = at.reworked_by;
  if (is_this_visits_gate(at) && !at.gate->choice.empty()) fields["choice"] = at.gate->choice;
  Action action;
  action.emit = std::move(before);
  action.emit.push_back(
      step_event(Kind::kStepCompleted, program_, state_, step, std::move(fields)));
  action.completes = true;
  action.routes = action.emit.size() > 1;
  return action;
}

Action StepFlow::work(size_t step) const {
  const model::Step& model = model_of(step);
  const StepState& at = state_of(step);
  if (auto action = hook(step, HookEvent::kStepStart)) return *std::move(action);
  if (!at.agent_exited) return operate(step, OperationKind::kExecute);
  if (has_outputs(model) && !at.outputs_collected) {
    return operate(step, OperationKind::kCollectOutputs);
  }
  if (!at.workspace.empty()) {
    if (auto action = hook(step, HookEvent::kWorkspaceCreated)) return *std::move(action);
  }
  if (!at.artifacts.empty()) {
    if (auto action = hook(step, HookEvent::kArtifactCreated)) return *std::move(action);
  }
  if (!at.contracts_cut && at.contracts_done < model.contracts.size()) {
    return operate(step, OperationKind::kCheckContract, at.contracts_done);
  }
  if (!at.contracts_cut && !model.contracts.empty()) {
    if (auto action = hook(step, HookEvent::kContractValidated)) return *std::move(action);
  }
  if (has_git_workspace(model) && !at.checkpointed) {
    return operate(step, OperationKind::kCheckpoint);
  }
  return complete(step, {});
}

std::optional<int> StepFlow::jump_target(size_t step) const {
  const StepState& at = state_of(step);
  if (at.status != StepStatus::kRunning || model_of(step).kind != StepKind::kGate) return {};
  if (!is_this_visits_gate(at) || !at.gate->resolved || at.gate->routed) return {};
  if (!at.reworked_by.empty() || at.attempt_failed || at.stopped) return {};
  if (at.gate->target.empty() || at.gate->target == "_fail") return {};
  const int target = program_.index_of(at.gate->target);
  if (target < 0) return {};
  const StepStatus status = state_of(static_cast<size_t>(target)).status;
  if (status == StepStatus::kPending || status == StepStatus::kReady) return {};
  return target;
}

/// A gate: opened, and once it is decided, followed to where the decision leads.
Action StepFlow::decided_gate(size_t step) const {
  const StepState& at = state_of(step);
  if (!at.reworked_by.empty()) return complete(step, {});
  if (auto action = hook(step, HookEvent::kStepStart)) return *std::move(action);
  if (!is_this_visits_gate(at)) {
    Action action = operate(step, OperationKind::kOpenGate);
    action.operation->purpose = "gate";
    return action;
  }
  const GateState& gate = *at.gate;
  if (gate.outcome == "timeout") {
    return give_up(step, gate_failure(at, "gate_timeout", "nobody decided in time"));
  }
  if (gate.target == "_fail") {
    const std::string by = gate.by.empty() ? "" : " by " + gate.by;
    const std::string& said = gate.label.empty() ? gate.choice : gate.label;
    return fail_for_good(
        step, gate_failure(at, "gate_rejected", fmt::format("decided '{}'{}", said, by)), false);
  }
  if (jump_target(step)) return {};  // it concerns more than this step: the run carries it out
  const int target = gate.routed || gate.target.empty() ? -1 : program_.index_of(gate.target);
  if (target < 0) return complete(step, {});
  const std::vector<int> after = program_.descendants(static_cast<int>(step));
  const std::vector<int> before = program_.ancestors(target);
  std::vector<Event> skipped;
  if (std::ranges::binary_search(after, target)) {
    for (const int between : after) {
      const auto index = static_cast<size_t>(between);
      const StepStatus status = state_of(index).status;
      if (status != StepStatus::kPending && status != StepStatus::kReady) continue;
      if (between == target || !std::ranges::binary_search(before, between)) continue;
      skipped.push_back(step_event(Kind::kStepSkipped, program_, state_, index,
                                   {{"status", "skipped"}, {"reason", "jumped_over"}}));
    }
  }
  return complete(step, std::move(skipped));
}

Action StepFlow::running(size_t step) const {
  const StepState& at = state_of(step);
  if (!at.waits_for.empty()) return {};
  if (at.stopped) {
    return emitting(
        step_event(Kind::kStepInterrupted, program_, state_, step, {{"reason", "stopped"}}));
  }
  if (at.attempt_failed) return after_failure(step);
  if (at.contract_failing) return after_contract(step);
  switch (model_of(step).kind) {
    case StepKind::kPersona:
    case StepKind::kCommand:
      return work(step);
    case StepKind::kGate:
      return decided_gate(step);
    default:
      break;
  }
  const Failure failure{
      .failure_class = FailureClass::kDeterministic,
      .code = std::string(code_name(Code::kUnsupported)),
      .message = fmt::format("steps of kind {} cannot be carried out by this version",
                             model::to_string(model_of(step).kind)),
      .contract_errors = {},
      .output_tail = {}};
  return fail_for_good(step, failure, false);
}

Action StepFlow::waiting_gate(size_t step) const {
  const StepState& at = state_of(step);
  const GateState& gate = *at.gate;
  const auto resolve = [&](std::string outcome, std::string choice) {
    Action action = emitting(
        gate_resolved(gate, at.id, at.visit, std::move(outcome), std::move(choice), "", "", ""));
    action.bookkeeping = true;
    return action;
  };
  const auto& model = model_of(step).gate;
  if (gate.purpose == "gate" && model && model->automatic) {
    const std::string first = gate.choices.empty() ? std::string() : gate.choices.front().key;
    return resolve("auto", gate.default_choice.empty() ? first : gate.default_choice);
  }
  if (gate.timer_has_fired) {
    if (gate.type == "timer") return resolve("timer", "");
    if (!gate.default_choice.empty()) return resolve("default", gate.default_choice);
    return resolve("timeout", "");
  }
  if (gate.timer_was_set || (gate.timeout.count() == 0 && gate.type != "timer")) return {};
  const Millis rest = gate.deadline ? *gate.deadline - state_.last_ts : gate.timeout;
  Action action = emitting(timer(step, "gate:" + gate.gate_id, "gate", std::max(rest, Millis(0))));
  action.bookkeeping = true;
  return action;
}

Action StepFlow::retrying(size_t step) const {
  const StepState& at = state_of(step);
  if (at.retry_due) return start(step, "retry");
  if (!at.retry_timer.empty()) return {};
  const bool limited = at.failure.failure_class == FailureClass::kRateLimit;
  Action action = emitting(timer(step, fmt::format("retry:{}.{}.{}", at.id, at.visit, at.attempt),
                                 limited ? "rate_limit" : "retry", retry_wait(model_of(step), at)));
  action.bookkeeping = true;
  return action;
}

Action StepFlow::reworking(size_t step) const {
  const StepState& at = state_of(step);
  const auto target = static_cast<size_t>(program_.index_of(at.rework_target));
  const StepState& repair = state_of(target);
  if (is_terminal(repair.status) && repair.rework_for == at.id) {
    return fail_for_good(step, at.failure, model_of(step).optional || !at.rework_for.empty());
  }
  const bool free = is_terminal(repair.status) || repair.status == StepStatus::kPending ||
                    repair.status == StepStatus::kReady;
  if (!free) return {};  // at work, for this step or for another one
  return start(target, "rework", at.id);
}

Action StepFlow::interrupted(size_t step) const {
  const StepState& at = state_of(step);
  if (at.interruption == "stopped") return start(step, "resume");
  const auto policy = model_of(step).on_interrupt;
  const bool too_often =
      at.interruptions >= kMaxInterruptions || at.disk_interruptions >= kMaxDiskInterruptions;
  if (policy == model::Step::OnInterrupt::kFail || too_often) {
    return give_up(step, interruption_failure(at));
  }
  if (policy == model::Step::OnInterrupt::kRerun) return start(step, "interrupted");
  if (!at.gate || at.gate->gate_id != interrupt_gate_id_of(at)) {
    Action action = operate(step, OperationKind::kOpenGate);
    action.operation->purpose = "interrupt";
    return action;
  }
  if (at.gate->choice == "rerun") return start(step, "interrupted");
  const bool late = at.gate->outcome == "timeout";
  return give_up(step, late ? gate_failure(at, "gate_timeout", "nobody decided in time")
                            : gate_failure(at, "gate_rejected", "decided to let the step fail"));
}

Action StepFlow::next(size_t step) const {
  switch (state_of(step).status) {
    case StepStatus::kRunning:
      return running(step);
    case StepStatus::kWaiting:
      return waiting_gate(step);
    case StepStatus::kRetrying:
      return retrying(step);
    case StepStatus::kReworking:
      return reworking(step);
    case StepStatus::kInterrupted:
      return interrupted(step);
    default:
      return {};
  }
}

}  // namespace wave::flow
