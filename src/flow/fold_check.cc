#include "flow/fold_check.h"

namespace wave::flow {
namespace {

std::unexpected<Error> broken(const RunState& state, const Event& event, std::string what) {
  return fail(
      Code::kInternal,
      fmt::format("run {}: event {} ({}{}{}) cannot be applied: {}", state.run_id, event.seq,
                  to_string(event.kind), event.step.empty() ? "" : " of step ", event.step, what));
}

Status check_order(const RunState& state, const Event& event) {
  if (event.seq != state.last_seq + 1) {
    return broken(state, event, fmt::format("{} was expected", state.last_seq + 1));
  }
  if (event.run_id != state.run_id) {
    return broken(state, event, fmt::format("it is of run '{}'", event.run_id));
  }
  if (event.ts < state.last_ts) return broken(state, event, "its time is before the last event's");
  if (is_terminal(state.status)) {
    return broken(state, event, fmt::format("the run is {} already", to_string(state.status)));
  }
  return {};
}

Status check_begin(const RunState& state, const Event& event) {
  const bool first = state.last_seq == 0;
  if (first) {
    if (event.kind == Kind::kRunQueued || event.kind == Kind::kRunForked) return {};
    return broken(state, event, "a run begins with run_queued or run_forked");
  }
  if (event.kind == Kind::kRunForked) {
    return broken(state, event, "only the first event can be run_forked");
  }
  if (!state.queued_at && event.kind != Kind::kRunQueued) {
    return broken(state, event, "run_queued has to follow run_forked");
  }
  return {};
}

/// A move to the status a run has already is none, but for two that say something new: resumed
/// while running (its owner died), and waiting for another reason.
bool is_legal_repeat(const RunState& state, const Event& event) {
  if (event.kind == Kind::kRunResumed) return state.status == RunStatus::kRunning;
  if (event.kind == Kind::kRunQueued) return !state.queued_at;
  return event.kind == Kind::kRunWaiting &&
         get_string(event.data, "reason") != state.waiting_reason;
}

Status check_run_transition(const RunState& state, const Event& event) {
  const auto next = run_status_after(event);
  if (!next) return {};
  const bool legal =
      *next == state.status ? is_legal_repeat(state, event) : is_legal(state.status, *next);
  if (legal) return {};
  return broken(
      state, event,
      fmt::format("a run does not go from {} to {}", to_string(state.status), to_string(*next)));
}

Status check_options(const Event& event) {
  auto options = run_options_from_json(get_object(event.data, "options"));
  if (options) return {};
  return fail(options.error().wrapped("run_queued"));
}

Status check_forked(const Program& program, const RunState& state, const Event& event) {
  for (const json::value& item : get_array(get_object(event.data, "state"), "steps")) {
    if (!item.is_object()) return broken(state, event, "a step that is taken over is no object");
    const std::string_view id = get_string(item.get_object(), "id");
    if (program.index_of(id) < 0) {
      return broken(state, event, fmt::format("the pipeline has no step '{}'", id));
    }
  }
  for (const std::string& id : get_strings(get_object(event.data, "state"), "asks_again")) {
    const int gate = program.index_of(id);
    if (gate >= 0 && program.steps()[static_cast<size_t>(gate)].gate) continue;
    return broken(state, event, fmt::format("the pipeline has no gate '{}'", id));
  }
  return {};
}

bool is_one_of(StepStatus status, std::initializer_list<StepStatus> allowed) {
  return std::ranges::find(allowed, status) != allowed.end();
}

/// What an operation gave belongs to the attempt that asked for it: anything else came too late.
bool is_of_attempt(const StepState& step, const Event& event) {
  return event.visit == step.visit && event.attempt == step.attempt;
}

std::string wrong_status(const StepState& step) {
  return fmt::format("the step is {} (visit {}, attempt {})", to_string(step.status), step.visit,
                     step.attempt);
}

Status check_started(const RunState& state, const Event& event, const StepState& step) {
  const std::string_view reason = get_string(event.data, "reason");
  bool fits = false;
  int visit = step.visit;
  int attempt = step.attempt;
  if (reason == "first" || reason == "jump") {
    fits = is_one_of(step.status, {StepStatus::kPending, StepStatus::kReady});
    visit += 1;
    attempt = 1;
  } else if (reason == "rework") {
    fits = is_terminal(step.status) ||
           is_one_of(step.status, {StepStatus::kPending, StepStatus::kReady});
    visit += 1;
    attempt = 1;
  } else if (reason == "retry") {
    fits = step.status == StepStatus::kRetrying;
    attempt += 1;
  } else if (reason == "interrupted" || reason == "resume") {
    fits = step.status == StepStatus::kInterrupted;
  } else {
    return broken(state, event, fmt::format("unknown reason '{}'", reason));
  }
  if (!fits) return broken(state, event, wrong_status(step));
  if (event.visit == visit && event.attempt == attempt) return {};
  return broken(state, event,
                fmt::format("it is visit {}, attempt {}; visit {}, attempt {} follows", event.visit,
                            event.attempt, visit, attempt));
}

Status check_contract(const Program& program, const RunState& state, const Event& event,
                      const StepState& step, size_t index) {
  const auto contract = get_int(event.data, "index", -1);
  if (contract == static_cast<int64_t>(step.contracts_done) &&
      step.contracts_done < program.steps()[index].contracts.size()) {
    return {};
  }
  return broken(
      state, event,
      fmt::format("contract {} was not asked for, {} are done", contract, step.contracts_done));
}

Status check_hook(const RunState& state, const Event& event, const StepState* step) {
  const auto& done = step == nullptr ? state.hooks_done : step->hooks_done;
  const auto found = done.find(std::string(get_string(event.data, "hook_event")));
  const size_t next = found == done.end() ? 0 : found->second;
  if (step != nullptr && (is_terminal(step->status) || !is_of_attempt(*step, event))) {
    return broken(state, event, wrong_status(*step));
  }
  if (get_int(event.data, "index", -1) == static_cast<int64_t>(next)) return {};
  return broken(state, event, fmt::format("hook {} was expected", next));
}

Status check_gate_resolved(const RunState& state, const Event& event, const StepState& step) {
  const bool open = step.gate && !step.gate->resolved && step.status == StepStatus::kWaiting;
  if (!open) return broken(state, event, "no gate of the step waits");
  if (get_string(event.data, "gate_id") == step.gate->gate_id) return {};
  return broken(state, event, fmt::format("gate '{}' waits", step.gate->gate_id));
}

Status check_timer_fired(const RunState& state, const Event& event) {
  const auto timer = state.timers.find(std::string(get_string(event.data, "timer")));
  if (timer != state.timers.end() && timer->second.step == event.step) return {};
  return broken(state, event, "no such timer is set");
}

Status check_reset(const Program& program, const RunState& state, const Event& event) {
  for (const json::value& item : get_array(event.data, "steps")) {
    if (!item.is_string() || program.index_of(item.get_string()) < 0) {
      return broken(state, event, "it resets a step that does not exist");
    }
  }
  return {};
}

/// Statuses in which an event of a step can happen; the rest is up to the kind.
bool fits_status(Kind kind, const StepState& step) {
  const bool running = step.status == StepStatus::kRunning;
  switch (kind) {
    case Kind::kStepCompleted:
    case Kind::kStepRejected:
    case Kind::kStepRetrying:
    case Kind::kStepInterrupted:
    case Kind::kStepWaiting:
    case Kind::kWorkspaceCreated:
    case Kind::kArtifactCreated:
    case Kind::kContractPassed:
    case Kind::kContractFailed:
      return running;
    case Kind::kAgentExited:
      return running && !step.agent_exited;
    case Kind::kOutputsCollected:
      return running && step.agent_exited && !step.outputs_collected;
    case Kind::kCheckpointCreated:
      return running && !step.checkpointed;
    case Kind::kStepReworking:
    case Kind::kGateWaiting:
      return running || step.status == StepStatus::kInterrupted;
    case Kind::kTimerSet:
      return is_one_of(step.status, {StepStatus::kRetrying, StepStatus::kWaiting});
    case Kind::kStepFailed:
    case Kind::kStepCancelled:
    case Kind::kStepSkipped:
      return !is_terminal(step.status);
    default:
      return true;
  }
}

/// Kinds that carry the visit and attempt they belong to, and are refused when those have passed.
bool belongs_to_attempt(Kind kind) {
  return kind != Kind::kStepStarted && kind != Kind::kStepsReset;
}

Status check_of_step(const Program& program, const RunState& state, const Event& event,
                     size_t index) {
  const StepState& step = state.steps[index];
  if (!fits_status(event.kind, step)) return broken(state, event, wrong_status(step));
  if (belongs_to_attempt(event.kind) && !is_of_attempt(step, event)) {
    return broken(state, event,
                  fmt::format("it is of visit {}, attempt {}, but {}", event.visit, event.attempt,
                              wrong_status(step)));
  }
  switch (event.kind) {
    case Kind::kStepStarted:
      return check_started(state, event, step);
    case Kind::kContractPassed:
    case Kind::kContractFailed:
      return check_contract(program, state, event, step, index);
    case Kind::kGateResolved:
      return check_gate_resolved(state, event, step);
    case Kind::kTimerFired:
      return check_timer_fired(state, event);
    case Kind::kStepsReset:
      return check_reset(program, state, event);
    default:
      return {};
  }
}

}  // namespace

std::optional<RunStatus> run_status_after(const Event& event) {
  switch (event.kind) {
    case Kind::kRunQueued:
      return RunStatus::kQueued;
    case Kind::kRunStarted:
    case Kind::kRunResumed:
      return RunStatus::kRunning;
    case Kind::kRunWaiting:
      return RunStatus::kWaiting;
    case Kind::kRunCompleted:
      return get_string(event.data, "status") == "empty" ? RunStatus::kCompletedEmpty
                                                         : RunStatus::kCompleted;
    case Kind::kRunFailed:
      return RunStatus::kFailed;
    case Kind::kRunRejected:
      return RunStatus::kRejected;
    case Kind::kRunCancelled:
      return RunStatus::kCancelled;
    default:
      return std::nullopt;
  }
}

Status check_event(const Program& program, const RunState& state, const Event& event, int step) {
  WAVE_CHECK(check_order(state, event));
  WAVE_CHECK(check_begin(state, event));
  if (!event.step.empty() && step < 0) return broken(state, event, "the pipeline has no such step");
  if (!info(event.kind).folded) return {};
  WAVE_CHECK(check_fields(event));
  WAVE_CHECK(check_run_transition(state, event));
  if (info(event.kind).of_step) {
    return check_of_step(program, state, event, static_cast<size_t>(step));
  }
  switch (event.kind) {
    case Kind::kRunQueued:
      return check_options(event);
    case Kind::kRunForked:
      return check_forked(program, state, event);
    case Kind::kHookPassed:
    case Kind::kHookFailed:
      return check_hook(state, event, step < 0 ? nullptr : &state.steps[static_cast<size_t>(step)]);
    default:
      return {};
  }
}

}  // namespace wave::flow
