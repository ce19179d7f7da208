#include "flow/fold.h"

#include "flow/fold_check.h"
#include "flow/readiness.h"
#include "flow/retry.h"

namespace wave::flow {
namespace {

using model::OnFailure;

std::string text(const Event& event, std::string_view name) {
  return std::string(get_string(event.data, name));
}

/// Applies one event that was checked before. One function per kind.
class Fold {
 public:
  Fold(const Program& program, RunState& state, const Event& event)
      : program_(program), state_(state), event_(event) {}

  void of_run();
  void of_step(size_t index);

 private:
  // --- the run ---
  void run_queued();
  void run_forked();
  void run_begun();
  void run_ended();
  void cancel_requested();
  void stop_requested();
  void run_hook();

  // --- a step; `index` and `step` name the same one ---
  void step_started(StepState& step);
  void step_completed(size_t index);
  void step_failed(StepState& step);
  void step_rejected(StepState& step);
  void step_skipped(size_t index);
  void step_reworking(StepState& step);
  void step_interrupted(StepState& step);
  void step_waiting(StepState& step);
  void wait_ended();
  void steps_reset(StepState& gate);
  void agent_exited(StepState& step);
  void artifact_created(StepState& step);
  void outputs_collected(StepState& step);
  void contract_passed(StepState& step);
  void contract_failed(size_t index);
  void checkpoint_created(StepState& step);
  void step_hook(StepState& step);
  void gate_waiting(StepState& step);
  void gate_resolved(StepState& step);
  void timer_set(StepState& step);
  void timer_fired(StepState& step);

  // --- shared pieces ---
  StepState& at(int index) { return state_.steps[static_cast<size_t>(index)]; }
  void touch(StepState& step) { step.changed_seq = event_.seq; }
  void progress(StepState& step) {
    step.progress_seq = event_.seq;
    state_.progress_seq = event_.seq;
    step.waits = 0;
    state_.waits = 0;
  }
  void end_early() {
    if (state_.ending_seq == 0) state_.ending_seq = event_.seq;
  }
  void spend(StepState& step);
  void remember_leaked();
  void keep_failure(StepState& step);
  void finish(StepState& step, StepStatus status);
  void forget_timers(StepState& step);
  void withdraw_gate(StepState& step);
  void begin_visit(StepState& step);
  void make_ready(size_t index);
  void release_dependents(size_t index);
  void hand_over(const StepState& target, StepState& failed);
  void note_failure(StepState& step, Failure failure);
  Failure read_failure(FailureClass fallback, Code code) const;

  const Program& program_;
  RunState& state_;
  const Event& event_;
};

// --- shared pieces ---

void Fold::spend(StepState& step) {
  const json::value* given = find(event_.data, "usage");
  if (given == nullptr) return;
  const Usage usage = usage_from_json(get_object(event_.data, "usage"));
  step.usage += usage;
  state_.usage += usage;
}

void Fold::remember_leaked() {
  for (const json::value& process : get_array(event_.data, "leaked")) {
    state_.leaked.push_back(process);
  }
}

void Fold::finish(StepState& step, StepStatus status) {
  step.status = status;
  step.waits_for.clear();
  step.finished_at = event_.ts;
  forget_timers(step);
  withdraw_gate(step);
}

void Fold::forget_timers(StepState& step) {
  step.retry_timer.clear();
  step.retry_due = false;
  if (state_.timers.empty()) return;
  std::erase_if(state_.timers, [&](const auto& entry) { return entry.second.step == step.id; });
}

/// A gate whose step ends or begins again otherwise must not look as if it waited for ever.
void Fold::withdraw_gate(StepState& step) {
  if (!step.gate || step.gate->resolved) return;
  step.gate->resolved = true;
  step.gate->outcome = "withdrawn";
  step.gate->decided_at = event_.ts;
  touch(step);
}

void Fold::make_ready(size_t index) {
  StepState& step = state_.steps[index];
  if (step.status != StepStatus::kPending || program_.steps()[index].rework_only) return;
  if (!all_satisfied(program_, state_, index)) return;
  step.status = StepStatus::kReady;
  touch(step);
}

void Fold::release_dependents(size_t index) {
  if (state_.status != RunStatus::kRunning) return;  // run_started looks at all of them
  for (const int dependent : program_.dependents[index]) {
    make_ready(static_cast<size_t>(dependent));
  }
  for (const GateAskedAgain& again : state_.gates_asked_again) {
    if (again.gate != index) continue;
    for (size_t i = 0; i < again.behind.size(); ++i) {
      if (again.behind[i] != 0) make_ready(i);
    }
  }
}

Failure Fold::read_failure(FailureClass fallback, Code code) const {
  const std::string_view name = get_string(event_.data, "failure_class");
  return {.failure_class = name.empty() ? fallback : failure_class_from_name(name),
          .code = std::string(get_string(event_.data, "code", code_name(code))),
          .message = text(event_, "message"),
          .contract_errors = get_strings(event_.data, "errors"),
          .output_tail = text(event_, "output_tail")};
}

/// The attempt came to nothing: remembered for the next one, and counted by the circuit breaker.
void Fold::note_failure(StepState& step, Failure failure) {
  step.failure = std::move(failure);
  const auto& breaker = program_.project.manifest.runtime.circuit_breaker;
  if (is_tracked(breaker, step.failure.failure_class)) {
    state_.failure_counts[failure_fingerprint(step.id, step.failure)] += 1;
  }
}

// --- the run ---

void Fold::run_queued() {
  state_.status = RunStatus::kQueued;
  state_.waiting_reason.clear();
  state_.resuming = get_bool(event_.data, "resuming");
  if (state_.queued_at) {
    state_.stop_requested = false;
    state_.stop_seq = 0;
    return;
  }
  state_.queued_at = event_.ts;
  state_.actor = event_.actor;
  state_.pipeline = get_string(event_.data, "pipeline", program_.project.pipeline.name);
  // Checked before: cannot fail here.
  state_.options = run_options_from_json(get_object(event_.data, "options")).value_or(RunOptions());
}

void Fold::run_forked() {
  state_.origin_run_id = text(event_, "origin_run_id");
  const json::object& origin = get_object(event_.data, "state");
  for (const json::value& item : get_array(origin, "steps")) {
    const json::object& from = item.get_object();
    StepState& step = at(program_.index_of(get_string(from, "id")));
    const std::string_view status = get_string(from, "status");
    step.status = status == "completed_empty" ? StepStatus::kCompletedEmpty
                  : status == "skipped"       ? StepStatus::kSkipped
                                              : StepStatus::kCompleted;
    step.skip_reason = get_string(from, "skip_reason");
    step.reason = "forked";
    step.visit = 1;
    step.attempt = 1;
    step.agent_exited = step.agent_succeeded = step.outputs_collected = true;
    step.has_tree = get_bool(from, "has_tree");
    step.changed_tree = get_bool(from, "changed_tree");
    step.workspace = get_string(from, "workspace");
    step.checkpoint_ref = get_string(from, "checkpoint_ref");
    step.checkpoint_commit = get_string(from, "checkpoint_commit");
    step.checkpointed = !step.checkpoint_ref.empty();
    step.session = get_string(from, "session");
    step.model = get_string(from, "model");
    step.adapter = get_string(from, "adapter");
    // What the origin paid is told, but it is not this run's cost.
    step.usage = usage_from_json(get_object(from, "usage"));
    for (const json::value& artifact : get_array(from, "artifacts")) {
      if (!artifact.is_object()) continue;
      step.artifacts.push_back(artifact_from_json(artifact.get_object()));
      step.artifacts.back().step = step.id;
    }
    step.finished_at = event_.ts;
    touch(step);
  }
  for (const std::string& id : get_strings(origin, "asks_again")) {
    const int gate = program_.index_of(id);
    GateAskedAgain again{.gate = static_cast<size_t>(gate),
                         .behind = std::vector<char>(state_.steps.size(), 0)};
    for (const int step : program_.descendants(gate)) again.behind[static_cast<size_t>(step)] = 1;
    state_.gates_asked_again.push_back(std::move(again));
  }
  const json::object& failure = get_object(origin, "failure");
  StepState* failed = state_.find(get_string(failure, "step"));
  if (failed == nullptr) return;
  failed->failure = {.failure_class = failure_class_from_name(get_string(failure, "failure_class")),
                     .code = std::string(get_string(failure, "code")),
                     .message = std::string(get_string(failure, "message")),
                     .contract_errors = get_strings(failure, "contract_errors"),
                     .output_tail = std::string(get_string(failure, "output_tail"))};
  touch(*failed);
}

void Fold::run_begun() {
  state_.status = RunStatus::kRunning;
  state_.resuming = false;
  state_.waiting_reason.clear();
  state_.progress_seq = event_.seq;
  if (!state_.started_at) state_.started_at = event_.ts;
  if (event_.kind == Kind::kRunResumed) {
    state_.stop_requested = false;
    state_.stop_seq = 0;
  }
  for (size_t i = 0; i < state_.steps.size(); ++i) make_ready(i);
}

void Fold::run_ended() {
  state_.status = *run_status_after(event_);
  state_.finished_at = event_.ts;
  state_.waiting_reason.clear();
  state_.timers.clear();
  for (StepState& step : state_.steps) {
    withdraw_gate(step);
    if (step.status != StepStatus::kReady) continue;
    step.status = StepStatus::kPending;  // it never began, and never will
    touch(step);
  }
  if (event_.kind != Kind::kRunFailed) return;
  if (!event_.step.empty()) state_.failed_step = event_.step;
  state_.failure = read_failure(FailureClass::kInternal, Code::kInternal);
}

void Fold::cancel_requested() {
  end_early();
  state_.cancel_force = state_.cancel_force || get_bool(event_.data, "force");
  if (state_.cancel_requested) return;
  state_.cancel_requested = true;
  state_.cancel_seq = event_.seq;
  state_.cancel_reason = text(event_, "reason");
  state_.cancel_by = text(event_, "by");
}

void Fold::stop_requested() {
  if (state_.stop_requested) return;
  state_.stop_requested = true;
  state_.stop_reason = text(event_, "reason");
  state_.stop_seq = event_.seq;
}

void Fold::run_hook() {
  const std::string name = text(event_, "hook_event");
  state_.hooks_done[name] += 1;
  state_.progress_seq = event_.seq;
  state_.waits = 0;
  const bool blocks = event_.kind == Kind::kHookFailed && get_bool(event_.data, "blocked");
  if (!blocks || name != hook_event_name(model::Hook::Event::kRunStart)) return;
  state_.hook_blocked = true;
  state_.failure = read_failure(FailureClass::kHook, Code::kScriptFailed);
  state_.failure.failure_class = FailureClass::kHook;
  end_early();
}

/// Everything that waited for the same thing is tried again.
void Fold::wait_ended() {
  const std::string reason = text(event_, "reason");
  if (state_.waiting_reason == reason) state_.waiting_reason.clear();
  for (StepState& step : state_.steps) {
    if (step.waits_for != reason) continue;
    step.waits_for.clear();
    touch(step);
  }
}

void Fold::of_run() {
  switch (event_.kind) {
    case Kind::kRunQueued:
      return run_queued();
    case Kind::kRunForked:
      return run_forked();
    case Kind::kRunStarted:
    case Kind::kRunResumed:
      return run_begun();
    case Kind::kRunWaiting:
      state_.status = RunStatus::kWaiting;
      state_.waiting_reason = text(event_, "reason");
      if (state_.waiting_reason == kWaitsForDisk) state_.waits += 1;
      return;
    case Kind::kRunWaitEnded:
      return wait_ended();
    case Kind::kRunCancelRequested:
      return cancel_requested();
    case Kind::kRunStopRequested:
      return stop_requested();
    case Kind::kRunCompleted:
    case Kind::kRunFailed:
    case Kind::kRunRejected:
    case Kind::kRunCancelled:
      return run_ended();
    case Kind::kHookPassed:
    case Kind::kHookFailed:
      return run_hook();
    case Kind::kBudgetWarning:
      state_.budget_warned = true;
      return;
    default:
      return;
  }
}

// --- a step ---

/// Forgets how far an attempt has come.
void reset_attempt(StepState& step) {
  step.agent_exited = false;
  step.agent_succeeded = false;
  step.stopped = false;
  step.outputs_collected = false;
  step.changed_tree = false;
  step.has_tree = false;
  step.contracts_done = 0;
  step.contracts_cut = false;
  step.contract_failing = false;
  step.checkpointed = false;
  step.hooks_done.clear();
  step.hook_blocked = false;
  step.attempt_failed = false;
  step.retry_after.reset();
  step.retry_due = false;
  step.retry_timer.clear();
  step.waits_for.clear();
  step.waits = 0;
}

void Fold::begin_visit(StepState& step) {
  if (step.visit > 0) step.failure = {};  // the first visit may know a failure of the run's origin
  step.interruptions = 0;
  step.disk_interruptions = 0;
  step.interrupt_gates = 0;
  step.rework_rounds = 0;
  step.rework_target.clear();
  step.reworked_by.clear();
  step.tolerated = false;
  step.skip_reason.clear();
  step.artifacts.clear();
  step.restarts = 0;
  step.started_at = event_.ts;
  step.finished_at.reset();
  step.rework_for = text(event_, "rework_for");
}

void Fold::step_started(StepState& step) {
  const std::string reason = text(event_, "reason");
  if (reason == "resume") {
    // Goes on where it was: what the agent did before the stop is not done again.
    step.stopped = false;
    if (!step.agent_succeeded) {
      step.agent_exited = false;
      step.attempt_failed = false;
    }
    step.waits_for.clear();
    step.restarts += 1;
  } else if (reason == "interrupted") {
    reset_attempt(step);
    step.restarts += 1;
  } else {
    if (event_.visit != step.visit) begin_visit(step);
    reset_attempt(step);
    step.restarts = 0;
    step.reworked_by.clear();
    step.artifacts.clear();
  }
  step.status = StepStatus::kRunning;
  step.reason = reason;
  step.visit = event_.visit;
  step.attempt = event_.attempt;
  step.attempt_started_at = event_.ts;
  if (find(event_.data, "adapter") != nullptr) step.adapter = text(event_, "adapter");
  if (find(event_.data, "model") != nullptr) step.model = text(event_, "model");
  progress(step);
}

void Fold::step_completed(size_t index) {
  StepState& step = state_.steps[index];
  const bool empty = get_string(event_.data, "status") == "empty";
  finish(step, empty ? StepStatus::kCompletedEmpty : StepStatus::kCompleted);
  step.failure = {};
  if (!step.rework_for.empty()) {
    StepState* failed = state_.find(step.rework_for);
    if (failed != nullptr && failed->status == StepStatus::kReworking &&
        failed->rework_target == step.id) {
      hand_over(step, *failed);
    }
  }
  release_dependents(index);
}

/// The outputs of `target` stand for those of `failed`, whose contracts then have to hold for them.
void Fold::hand_over(const StepState& target, StepState& failed) {
  for (Artifact artifact : target.artifacts) {
    artifact.step = failed.id;
    const auto same = std::ranges::find(failed.artifacts, artifact.name, &Artifact::name);
    if (same == failed.artifacts.end()) {
      failed.artifacts.push_back(std::move(artifact));
    } else {
      *same = std::move(artifact);
    }
  }
  failed.status = StepStatus::kRunning;
  failed.reworked_by = target.id;
  if (!target.workspace.empty()) failed.workspace = target.workspace;
  failed.agent_exited = true;
  failed.agent_succeeded = true;
  failed.outputs_collected = true;
  failed.has_tree = failed.has_tree || target.has_tree;
  failed.changed_tree = failed.changed_tree || target.changed_tree;
  failed.contracts_done = 0;
  failed.contracts_cut = false;
  failed.contract_failing = false;
  failed.attempt_failed = false;
  failed.hook_blocked = false;
  failed.checkpointed = false;
  failed.hooks_done.clear();
  // The step was begun long ago: its start is not announced again.
  const auto start = model::Hook::Event::kStepStart;
  if (const size_t count = program_.hook_count(start, program_.index_of(failed.id)); count > 0) {
    failed.hooks_done[std::string(hook_event_name(start))] = count;
  }
  touch(failed);
  progress(failed);
}

/// The event says why in words; the output it does not repeat.
void Fold::keep_failure(StepState& step) {
  Failure failure = read_failure(FailureClass::kTransient, Code::kInternal);
  failure.output_tail = std::move(step.failure.output_tail);
  step.failure = std::move(failure);
}

void Fold::step_failed(StepState& step) {
  finish(step, StepStatus::kFailed);
  step.tolerated = get_bool(event_.data, "tolerated");
  keep_failure(step);
  if (step.tolerated) return;
  if (state_.failed_step.empty()) {
    state_.failed_step = step.id;
    state_.failure = step.failure;
  }
  end_early();
}

void Fold::step_rejected(StepState& step) {
  finish(step, StepStatus::kRejected);
  if (state_.failed_step.empty()) {
    state_.failed_step = step.id;
    state_.failure = step.failure;
  }
  end_early();
}

void Fold::step_skipped(size_t index) {
  StepState& step = state_.steps[index];
  finish(step, StepStatus::kSkipped);
  step.skip_reason = text(event_, "reason");
  if (step.skip_reason == "failed") keep_failure(step);
  if (is_satisfied(step)) release_dependents(index);
}

void Fold::step_reworking(StepState& step) {
  step.status = StepStatus::kReworking;
  step.rework_target = text(event_, "target");
  step.rework_rounds = static_cast<int>(get_int(event_.data, "round"));
  keep_failure(step);
  StepState* target = state_.find(step.rework_target);
  // How an earlier round ended says nothing about this one.
  if (target != nullptr && is_terminal(target->status)) target->rework_for.clear();
}

void Fold::step_interrupted(StepState& step) {
  step.status = StepStatus::kInterrupted;
  step.waits_for.clear();
  step.interruption = text(event_, "reason");
  if (step.interruption == kWaitsForDisk) {
    step.disk_interruptions += 1;
  } else if (step.interruption != "stopped") {
    step.interruptions += 1;
  }
  spend(step);
  remember_leaked();
  progress(step);
}

void Fold::step_waiting(StepState& step) {
  step.waits_for = text(event_, "reason");
  step.waits_why = text(event_, "message");
  const int waits = step.waits + 1;
  progress(step);
  step.waits = waits;
}

void Fold::steps_reset(StepState& gate) {
  const json::array& ids = get_array(event_.data, "steps");
  bool gate_is_reset = false;
  for (const json::value& id : ids) {
    StepState& step = at(program_.index_of(id.get_string()));
    gate_is_reset = gate_is_reset || &step == &gate;
    forget_timers(step);
    withdraw_gate(step);
    reset_attempt(step);
    step.status = StepStatus::kPending;
    step.attempt = 0;
    step.failure = {};
    step.tolerated = false;
    step.skip_reason.clear();
    step.rework_target.clear();
    step.rework_for.clear();
    step.finished_at.reset();
    touch(step);
  }
  if (!gate_is_reset && gate.gate) gate.gate->routed = true;
  for (const json::value& id : ids) {
    make_ready(static_cast<size_t>(program_.index_of(id.get_string())));
  }
}

// --- within a step ---

void Fold::agent_exited(StepState& step) {
  step.agent_exited = true;
  step.agent_succeeded = get_bool(event_.data, "succeeded");
  spend(step);
  progress(step);
  for (const auto& [field, value] :
       {std::pair{"session", &step.session}, {"model", &step.model}, {"adapter", &step.adapter}}) {
    if (const std::string_view given = get_string(event_.data, field); !given.empty()) {
      *value = given;
    }
  }
  remember_leaked();
  if (step.agent_succeeded) return;
  Failure failure = read_failure(FailureClass::kTransient, Code::kAgentFailed);
  if (failure.failure_class == FailureClass::kStopped) {
    step.stopped = true;
    return;
  }
  step.attempt_failed = true;
  if (find(event_.data, "retry_after_ms") != nullptr) {
    step.retry_after = Millis(std::max<int64_t>(get_int(event_.data, "retry_after_ms"), 0));
  }
  note_failure(step, std::move(failure));
}

void Fold::artifact_created(StepState& step) {
  Artifact artifact = artifact_from_json(event_.data);
  artifact.step = step.id;
  const auto same = std::ranges::find(step.artifacts, artifact.name, &Artifact::name);
  if (same == step.artifacts.end()) {
    step.artifacts.push_back(std::move(artifact));
  } else {
    *same = std::move(artifact);
  }
}

void Fold::outputs_collected(StepState& step) {
  step.outputs_collected = true;
  step.has_tree = get_bool(event_.data, "has_tree");
  step.changed_tree = get_bool(event_.data, "changed_tree");
  progress(step);
  const std::vector<std::string> missing = get_strings(event_.data, "missing");
  if (missing.empty() && find(event_.data, "failure_class") == nullptr) return;
  step.attempt_failed = true;
  Failure failure = read_failure(FailureClass::kMissingOutput, Code::kNotFound);
  if (failure.message.empty()) {
    failure.message = "required output is missing: " + fmt::format("{}", fmt::join(missing, ", "));
  }
  note_failure(step, std::move(failure));
}

void Fold::contract_passed(StepState& step) {
  step.contracts_done += 1;
  spend(step);
  progress(step);
}

void Fold::contract_failed(size_t index) {
  StepState& step = state_.steps[index];
  spend(step);
  progress(step);
  Failure failure = read_failure(FailureClass::kContractFailure, Code::kContractFailed);
  if (failure.failure_class == FailureClass::kCanceled ||
      failure.failure_class == FailureClass::kStopped) {
    step.restarts +=
        1;  // there is no verdict; should it be checked after all, that is another check
    return;
  }
  switch (program_.steps()[index].contracts[step.contracts_done].on_failure) {
    case OnFailure::kContinue:
    case OnFailure::kWarn:
      step.contracts_done += 1;
      return;
    case OnFailure::kSkip:
      step.contracts_cut = true;
      return;
    case OnFailure::kRework:
    case OnFailure::kRejected:
      step.contract_failing = true;
      step.failing_contract = step.contracts_done;
      break;
    case OnFailure::kFail:
      step.attempt_failed = true;
      break;
  }
  note_failure(step, std::move(failure));
}

void Fold::checkpoint_created(StepState& step) {
  step.checkpointed = true;
  progress(step);
  if (get_bool(event_.data, "skipped")) return;
  step.checkpoint_ref = text(event_, "ref");
  step.checkpoint_commit = text(event_, "commit");
}

/// Hooks before and within an attempt can stand in its way; those that tell of its end cannot.
bool can_block(std::string_view hook_event) {
  return hook_event != hook_event_name(model::Hook::Event::kStepFailed) &&
         hook_event != hook_event_name(model::Hook::Event::kStepRetrying);
}

void Fold::step_hook(StepState& step) {
  const std::string name = text(event_, "hook_event");
  step.hooks_done[name] += 1;
  progress(step);
  const bool blocks = event_.kind == Kind::kHookFailed && get_bool(event_.data, "blocked");
  if (!blocks || !can_block(name)) return;
  step.hook_blocked = true;
  step.attempt_failed = true;
  Failure failure = read_failure(FailureClass::kHook, Code::kScriptFailed);
  failure.failure_class = FailureClass::kHook;
  note_failure(step, std::move(failure));
}

void Fold::gate_waiting(StepState& step) {
  GateState gate;
  gate.gate_id = text(event_, "gate_id");
  gate.purpose = text(event_, "purpose");
  gate.type = text(event_, "type");
  gate.prompt = text(event_, "prompt");
  gate.freeform = get_bool(event_.data, "freeform");
  gate.default_choice = text(event_, "default");
  gate.approvers = get_strings(event_.data, "approvers");
  gate.forbid_self_approval = get_bool(event_.data, "forbid_self_approval");
  gate.timeout = Millis(std::max<int64_t>(get_int(event_.data, "timeout_ms"), 0));
  gate.deadline = parse_time(get_string(event_.data, "deadline"));
  gate.opened_at = event_.ts;
  gate.attempt = event_.attempt;
  for (const json::value& item : get_array(event_.data, "choices")) {
    if (!item.is_object()) continue;
    const json::object& choice = item.get_object();
    gate.choices.push_back({.key = std::string(get_string(choice, "key")),
                            .label = std::string(get_string(choice, "label")),
                            .target = std::string(get_string(choice, "target"))});
  }
  if (gate.purpose == "interrupt") step.interrupt_gates += 1;
  step.gate = std::move(gate);
  step.status = StepStatus::kWaiting;
  progress(step);
}

void Fold::gate_resolved(StepState& step) {
  GateState& gate = *step.gate;
  gate.resolved = true;
  gate.outcome = text(event_, "outcome");
  gate.choice = text(event_, "choice");
  gate.label = text(event_, "label");
  gate.text = text(event_, "text");
  gate.target = text(event_, "target");
  gate.by = text(event_, "by");
  gate.via = text(event_, "via");
  gate.decided_at = event_.ts;
  forget_timers(step);
  // From here on the step does not wait for this gate any more, whatever comes next (promise G7).
  step.status = gate.purpose == "interrupt" ? StepStatus::kInterrupted : StepStatus::kRunning;
  progress(step);
}

void Fold::timer_set(StepState& step) {
  TimerState timer{.id = text(event_, "timer"),
                   .step = step.id,
                   .purpose = text(event_, "purpose"),
                   .due = parse_time(get_string(event_.data, "due")).value_or(event_.ts),
                   .set_at = event_.ts,
                   .visit = step.visit,
                   .attempt = step.attempt};
  if (step.status == StepStatus::kRetrying) {
    step.retry_timer = timer.id;
  } else if (step.gate) {
    step.gate->timer_was_set = true;
  }
  state_.timers.insert_or_assign(timer.id, std::move(timer));
}

void Fold::timer_fired(StepState& step) {
  const std::string id = text(event_, "timer");
  if (step.retry_timer == id) {
    step.retry_timer.clear();
    step.retry_due = true;
  } else if (step.gate) {
    step.gate->timer_has_fired = true;
  }
  state_.timers.erase(id);
}

void Fold::of_step(size_t index) {
  StepState& step = state_.steps[index];
  touch(step);
  switch (event_.kind) {
    case Kind::kStepStarted:
      return step_started(step);
    case Kind::kStepCompleted:
      return step_completed(index);
    case Kind::kStepFailed:
      return step_failed(step);
    case Kind::kStepRejected:
      return step_rejected(step);
    case Kind::kStepCancelled:
      return finish(step, StepStatus::kCancelled);
    case Kind::kStepSkipped:
      return step_skipped(index);
    case Kind::kStepRetrying:
      step.status = StepStatus::kRetrying;
      return;
    case Kind::kStepReworking:
      return step_reworking(step);
    case Kind::kStepInterrupted:
      return step_interrupted(step);
    case Kind::kStepWaiting:
      return step_waiting(step);
    case Kind::kStepsReset:
      return steps_reset(step);
    case Kind::kAgentExited:
      return agent_exited(step);
    case Kind::kWorkspaceCreated:
      step.workspace = text(event_, "path");
      return;
    case Kind::kArtifactCreated:
      return artifact_created(step);
    case Kind::kOutputsCollected:
      return outputs_collected(step);
    case Kind::kContractPassed:
      return contract_passed(step);
    case Kind::kContractFailed:
      return contract_failed(index);
    case Kind::kCheckpointCreated:
      return checkpoint_created(step);
    case Kind::kHookPassed:
    case Kind::kHookFailed:
      return step_hook(step);
    case Kind::kGateWaiting:
      return gate_waiting(step);
    case Kind::kGateResolved:
      return gate_resolved(step);
    case Kind::kTimerSet:
      return timer_set(step);
    case Kind::kTimerFired:
      return timer_fired(step);
    default:
      return;
  }
}

}  // namespace

RunState initial_state(const Program& program, std::string run_id) {
  RunState state;
  state.run_id = std::move(run_id);
  state.pipeline = program.project.pipeline.name;
  state.steps.resize(program.steps().size());
  for (size_t i = 0; i < state.steps.size(); ++i) state.steps[i].id = program.steps()[i].id;
  return state;
}

Status apply(const Program& program, RunState& state, const Event& event) {
  if (state.steps.size() != program.steps().size()) {
    return fail(Code::kInternal,
                fmt::format("run {}: the state is of another pipeline", state.run_id));
  }
  const int step = event.step.empty() ? -1 : program.index_of(event.step);
  WAVE_CHECK(check_event(program, state, event, step));
  state.last_seq = event.seq;
  state.last_ts = event.ts;
  if (!info(event.kind).folded) return {};
  const bool run_level = !info(event.kind).of_step && event.kind != Kind::kHookPassed &&
                         event.kind != Kind::kHookFailed;
  Fold fold(program, state, event);
  if (run_level || step < 0) {
    fold.of_run();
  } else {
    fold.of_step(static_cast<size_t>(step));
  }
  return {};
}

}  // namespace wave::flow
