#include "flow/decide.h"

#include "flow/make_event.h"
#include "flow/readiness.h"
#include "flow/step_flow.h"

namespace wave::flow {
namespace {

using HookEvent = model::Hook::Event;

std::string_view to_string(OperationKind kind) {
  switch (kind) {
    case OperationKind::kAcquireSlot:
      return "slot";
    case OperationKind::kExecute:
      return "execute";
    case OperationKind::kCollectOutputs:
      return "collect";
    case OperationKind::kCheckContract:
      return "contract";
    case OperationKind::kCheckpoint:
      return "checkpoint";
    case OperationKind::kRunHook:
      return "hook";
    case OperationKind::kAwaitDisk:
      return "disk";
    case OperationKind::kOpenGate:
      return "gate";
  }
  return "";
}

/// Whether an operation can be cut short. The others are quick, and half of them is worth nothing.
bool can_be_stopped(OperationKind kind) {
  return kind != OperationKind::kAcquireSlot && kind != OperationKind::kOpenGate;
}

/// A pause lets hooks end: what they do is not ours to break off for something that goes on later.
bool can_be_paused(OperationKind kind) {
  return kind == OperationKind::kExecute || kind == OperationKind::kCheckContract;
}

Operation with_stop(Operation operation, StopReason reason) {
  const bool possible =
      reason == StopReason::kStop ? can_be_paused(operation.kind) : can_be_stopped(operation.kind);
  operation.stop = possible ? reason : StopReason::kNone;
  return operation;
}

Event run_event(Kind kind, json::object data) {
  Event event;
  event.kind = kind;
  event.data = std::move(data);
  return event;
}

/// A gate's decision that sends the run back.
struct Jump {
  size_t gate = 0;
  size_t target = 0;
  std::vector<char> members;  // by step: whether it runs again
};

/// Decides on one state. Stages come in order; the first that emits events ends the round, because
/// what follows has to be seen in the state that those events make.
class Decider {
 public:
  Decider(const Program& program, const RunState& state)
      : program_(program),
        state_(state),
        over_budget_(is_over_budget()),
        steps_(program, state, over_budget_) {}

  Decisions decide();

 private:
  void survey();
  [[nodiscard]] bool is_over_budget() const;

  // Stages: each adds to out_.
  void bookkeep();
  void end_early();
  void cancel_run();
  void stop();
  void go_on();
  void warn_of_budget();
  void look_for_jump();
  void carry_out_jump();
  void advance_active();
  void skip_what_cannot_run();
  void start_what_is_ready();
  void end_over_budget();
  void end_run();
  void rest();
  void await_disk();

  bool advance(size_t step);
  void fail_run(std::string_view step, const Failure& failure);
  void cancel_step(size_t step, std::string_view reason);
  bool run_hook(HookEvent event, StopReason stop = StopReason::kNone);
  [[nodiscard]] std::optional<HookEvent> hook_in_flight(uint64_t since) const;
  [[nodiscard]] const StepState* tolerated_failure() const;
  [[nodiscard]] bool is_selected(size_t step) const;
  [[nodiscard]] bool was_asked_before(size_t step, uint64_t seq) const {
    return state_.steps[step].progress_seq < seq;
  }
  [[nodiscard]] bool emits() const { return !out_.emit.empty(); }
  void emit(std::vector<Event> events) { std::ranges::move(events, std::back_inserter(out_.emit)); }

  const Program& program_;
  const RunState& state_;
  const bool over_budget_;
  const StepFlow steps_;

  // What survey() found, in declaration order.
  std::vector<size_t> active_;  // begun and not terminal
  std::vector<size_t> ready_;
  bool any_doomed_ = false;  // a pending step has a dependency that will never complete
  bool any_unfinished_ = false;
  bool any_lacks_disk_ = false;  // a begun step cannot go on before the disk takes files again
  int running_ = 0;

  std::optional<Jump> jump_;
  std::vector<Action> starts_;  // attempts that wait for a free place
  Decisions out_;
};

bool Decider::is_over_budget() const {
  const double ceiling = program_.project.manifest.runtime.cost.budget_ceiling;
  return ceiling > 0 && state_.usage.cost_usd >= ceiling;
}

/// One pass over all steps; everything else looks at what it found.
void Decider::survey() {
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    const StepState& step = state_.steps[i];
    if (is_terminal(step.status)) continue;
    const bool rework_only = program_.steps()[i].rework_only;
    any_unfinished_ = any_unfinished_ || !rework_only;
    switch (step.status) {
      case StepStatus::kReady:
        ready_.push_back(i);
        break;
      case StepStatus::kPending:
        if (any_doomed_ || rework_only) break;
        any_doomed_ = find_prerequisite(program_, state_, i, [&](size_t index) {
                        return is_dead(state_.steps[index]);
                      }) >= 0;
        break;
      default:
        active_.push_back(i);
        running_ += step.status == StepStatus::kRunning ? 1 : 0;
        any_lacks_disk_ = any_lacks_disk_ || step.waits_for == kWaitsForDisk;
    }
  }
}

Decisions Decider::decide() {
  if (is_terminal(state_.status) || !state_.queued_at) return {};
  survey();
  const bool wants_slot = state_.status != RunStatus::kRunning;
  if (state_.cancel_requested) {
    cancel_run();
  } else if (bookkeep(); emits()) {
    // Timers and gates' deadlines need no slot.
  } else if (state_.ending_seq != 0 && !wants_slot) {
    end_early();
  } else if (state_.stop_requested) {
    stop();
  } else if (state_.status == RunStatus::kQueued) {
    out_.operations.emplace_back().kind = OperationKind::kAcquireSlot;
  } else if (state_.status == RunStatus::kRunning) {
    go_on();
    await_disk();
  } else if (state_.waiting_reason == kWaitsForDisk) {
    await_disk();
  } else {
    const bool was_started = state_.started_at.has_value();  // else it waited for the disk
    if (was_started) go_on();
    const bool can_go_on =
        !was_started || emits() || !out_.operations.empty() || state_.ending_seq != 0;
    out_ = {};
    if (can_go_on) emit({run_event(Kind::kRunQueued, {{"resuming", was_started}})});
    await_disk();
  }
  if (emits()) out_.operations.clear();
  return std::move(out_);
}

// --- pieces ---

/// What gates and retries need in any status: to set their timers, and to see that they fired.
void Decider::bookkeep() {
  for (const size_t step : active_) {
    const StepStatus status = state_.steps[step].status;
    if (status != StepStatus::kWaiting && status != StepStatus::kRetrying) continue;
    Action action = steps_.next(step);
    if (action.bookkeeping) emit(std::move(action.emit));
  }
}

bool Decider::run_hook(HookEvent event, StopReason stop) {
  auto operation = next_hook(program_, state_, -1, event);
  if (!operation) return false;
  out_.operations.push_back(with_stop(*std::move(operation), stop));
  return true;
}

void Decider::fail_run(std::string_view step, const Failure& failure) {
  if (run_hook(HookEvent::kRunFailed)) return;
  json::object fields = failure_fields(failure);
  fields.erase("errors");
  Event event = run_end(Kind::kRunFailed, state_, "failure", std::move(fields));
  event.step = step;
  emit({std::move(event)});
}

void Decider::cancel_step(size_t step, std::string_view reason) {
  const int64_t duration = elapsed_ms(state_, state_.steps[step].started_at);
  emit({step_event(Kind::kStepCancelled, program_, state_, step,
                   {{"status", "cancelled"}, {"reason", reason}, {"duration_ms", duration}})});
}

// --- ending early: a cancel, a failure, a rejection ---

/// What is in flight is asked to end, and waited for; everything else that was begun is cancelled.
void Decider::end_early() {
  const bool cancelled = state_.cancel_requested;
  const StopReason stop = !cancelled            ? StopReason::kSiblingFailed
                          : state_.cancel_force ? StopReason::kForceCancel
                                                : StopReason::kCancel;
  const std::string_view reason = cancelled ? "cancelled" : "sibling_failed";
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    const StepState& step = state_.steps[i];
    if (is_terminal(step.status)) continue;
    if (step.status == StepStatus::kPending || step.status == StepStatus::kReady) {
      if (step.visit > 0) cancel_step(i, reason);
      continue;
    }
    if (!step.waits_for.empty()) {
      cancel_step(i, reason);  // nothing of it is in flight
      continue;
    }
    Action action = steps_.next(i);
    if (action.operation && was_asked_before(i, state_.ending_seq)) {
      out_.operations.push_back(with_stop(*std::move(action.operation), stop));
    } else if (action.completes && !action.routes) {
      emit(std::move(action.emit));
    } else {
      cancel_step(i, reason);
    }
  }
  if (emits() || !out_.operations.empty() || cancelled) return;
  const StepState* step = state_.find(state_.failed_step);
  if (step != nullptr && step->status == StepStatus::kRejected) {
    Event event = run_end(
        Kind::kRunRejected, state_, "rejected",
        {{"message", step->failure.message}, {"errors", to_array(step->failure.contract_errors)}});
    event.step = step->id;
    return emit({std::move(event)});
  }
  fail_run(state_.failed_step, state_.failure);
}

/// The hook of the run that was being run at event `since` and has not ended, if one was.
std::optional<HookEvent> Decider::hook_in_flight(uint64_t since) const {
  if (state_.status != RunStatus::kRunning || state_.progress_seq > since) return {};
  const auto left = [&](HookEvent event) {
    return next_hook(program_, state_, -1, event) ? std::optional(event) : std::nullopt;
  };
  if (const auto hook = left(HookEvent::kRunStart); hook && !state_.hook_blocked) return hook;
  const bool changed_since = std::ranges::any_of(
      state_.steps, [&](const StepState& step) { return step.changed_seq > since; });
  if (changed_since || !active_.empty()) return {};
  const bool failed = !state_.failed_step.empty() || state_.hook_blocked ||
                      (over_budget_ && any_unfinished_) || tolerated_failure() != nullptr;
  if (failed) return left(HookEvent::kRunFailed);
  return any_unfinished_ ? std::nullopt : left(HookEvent::kRunCompleted);
}

void Decider::cancel_run() {
  end_early();
  if (emits() || !out_.operations.empty()) return;
  if (const auto hook = hook_in_flight(state_.cancel_seq)) {
    run_hook(*hook, state_.cancel_force ? StopReason::kForceCancel : StopReason::kCancel);
    return;
  }
  emit({run_end(Kind::kRunCancelled, state_, "cancelled",
                {{"reason", state_.cancel_reason}, {"by", state_.cancel_by}})});
}

// --- stopping: to go on later ---

void Decider::stop() {
  for (const size_t i : active_) {
    if (!state_.steps[i].waits_for.empty()) {
      emit({step_event(Kind::kStepInterrupted, program_, state_, i, {{"reason", "stopped"}})});
      continue;
    }
    Action action = steps_.next(i);
    if (action.starts >= 0) continue;
    if (!action.operation) {
      if (action.routes && emits()) continue;
      const bool alone = action.routes;
      emit(std::move(action.emit));
      if (alone) break;
    } else if (was_asked_before(i, state_.stop_seq)) {
      out_.operations.push_back(with_stop(*std::move(action.operation), StopReason::kStop));
    } else if (state_.steps[i].status == StepStatus::kRunning) {
      emit({step_event(Kind::kStepInterrupted, program_, state_, i, {{"reason", "stopped"}})});
    }
  }
  if (emits() || !out_.operations.empty()) return;
  if (const auto hook = hook_in_flight(state_.stop_seq)) {
    run_hook(*hook);
    return;
  }
  // Should everything be done, then there is nothing to go on with later.
  const bool done = !any_unfinished_ && active_.empty();
  if (done && state_.status == RunStatus::kRunning) return end_run();
  if (state_.status == RunStatus::kWaiting && is_stopped(state_.waiting_reason)) return;
  const bool shutdown = state_.stop_reason == "shutdown";
  emit({run_event(Kind::kRunWaiting, {{"reason", shutdown ? "shutdown" : "stopped"}})});
}

// --- going on ---

void Decider::warn_of_budget() {
  const model::CostConfig& cost = program_.project.manifest.runtime.cost;
  const bool kept = cost.enabled || cost.budget_ceiling > 0;
  if (!kept || state_.budget_warned || cost.warn_at <= 0) return;
  if (state_.usage.cost_usd < cost.warn_at) return;
  emit({run_event(Kind::kBudgetWarning, {{"cost_usd", state_.usage.cost_usd},
                                         {"warn_at", cost.warn_at},
                                         {"ceiling", cost.budget_ceiling}})});
}

void Decider::look_for_jump() {
  for (const size_t gate : active_) {
    const auto target = steps_.jump_target(gate);
    if (!target) continue;
    Jump jump{.gate = gate,
              .target = static_cast<size_t>(*target),
              .members = std::vector<char>(state_.steps.size(), 0)};
    jump.members[jump.target] = 1;
    for (const int step : program_.descendants(*target)) {
      jump.members[static_cast<size_t>(step)] = 1;
    }
    // Who repairs a member works for nothing as well.
    for (const size_t step : active_) {
      const int repaired = program_.index_of(state_.steps[step].rework_for);
      if (repaired >= 0 && jump.members[static_cast<size_t>(repaired)] != 0) {
        jump.members[step] = 1;
      }
    }
    jump_ = std::move(jump);
    return;
  }
}

/// The steps that run again begin together, when nothing of theirs is in flight any more.
void Decider::carry_out_jump() {
  const GateState& gate = *state_.steps[jump_->gate].gate;
  const uint64_t decided = state_.steps[jump_->gate].progress_seq;
  bool in_flight = false;
  for (const size_t step : active_) {
    if (jump_->members[step] == 0 || step == jump_->gate) continue;
    Action action = steps_.next(step);
    if (!action.operation || !was_asked_before(step, decided)) continue;
    out_.operations.push_back(with_stop(*std::move(action.operation), StopReason::kStop));
    in_flight = true;
  }
  if (in_flight) return;
  json::array ids;
  for (size_t i = 0; i < jump_->members.size(); ++i) {
    if (jump_->members[i] != 0) ids.emplace_back(state_.steps[i].id);
  }
  emit({step_event(Kind::kStepsReset, program_, state_, jump_->gate,
                   {{"steps", std::move(ids)},
                    {"reason", "gate"},
                    {"gate_id", gate.gate_id},
                    {"target", gate.target}})});
}

/// Whether other steps may follow in the same round.
bool Decider::advance(size_t step) {
  Action action = steps_.next(step);
  if (action.starts >= 0) {
    starts_.push_back(std::move(action));
    return true;
  }
  if (action.operation) {
    const bool spends = over_budget_ && action.operation->kind == OperationKind::kExecute;
    out_.operations.push_back(with_stop(*std::move(action.operation),
                                        spends ? StopReason::kSiblingFailed : StopReason::kNone));
    return true;
  }
  const StepState& at = state_.steps[step];
  if (over_budget_ && at.attempt_failed && at.status == StepStatus::kRunning &&
      at.failure.failure_class == FailureClass::kCanceled) {
    cancel_step(step, "budget_exhausted");
    return true;
  }
  // Events about other steps stand alone: those of another step may be about the same ones.
  if (action.routes && emits()) return true;
  emit(std::move(action.emit));
  return !action.routes;
}

void Decider::advance_active() {
  for (const size_t step : active_) {
    if (jump_ && (step == jump_->gate || jump_->members[step] != 0)) continue;
    if (!advance(step)) return;
  }
}

bool Decider::is_selected(size_t step) const {
  const std::string& id = state_.steps[step].id;
  const RunOptions& options = state_.options;
  if (options.skip_gates && program_.steps()[step].gate) return false;
  const auto names = [&](const std::vector<std::string>& ids) {
    return std::ranges::find(ids, id) != ids.end();
  };
  return (options.steps.empty() || names(options.steps)) && !names(options.exclude);
}

void Decider::skip_what_cannot_run() {
  const RunOptions& options = state_.options;
  const bool filtered = !options.steps.empty() || !options.exclude.empty() || options.skip_gates;
  if (!filtered && !any_doomed_) return;
  std::vector<char> skipped(state_.steps.size(), 0);
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    const StepState& step = state_.steps[i];
    const bool untouched = step.status == StepStatus::kPending || step.status == StepStatus::kReady;
    if (!untouched || program_.steps()[i].rework_only) continue;
    if (jump_ && jump_->members[i] != 0) continue;
    json::object fields{{"status", "skipped"}};
    if (filtered && !is_selected(i)) {
      fields["reason"] = "filtered";  // on purpose: what depends on it runs
    } else {
      const int dead = find_prerequisite(program_, state_, i, [&](size_t index) {
        return skipped[index] != 0 || is_dead(state_.steps[index]);
      });
      if (dead < 0) continue;
      fields["reason"] = "dependency";
      fields["dependency"] = state_.steps[static_cast<size_t>(dead)].id;
      skipped[i] = 1;
    }
    emit({step_event(Kind::kStepSkipped, program_, state_, i, std::move(fields))});
  }
}

void Decider::start_what_is_ready() {
  if (over_budget_ || any_lacks_disk_) return;
  const int limit = std::max(program_.project.manifest.runtime.max_concurrency, 1);
  int free = limit - running_;
  std::vector<int> started;
  for (Action& action : starts_) {
    const bool twice = std::ranges::find(started, action.starts) != started.end();
    const bool held = jump_ && jump_->members[static_cast<size_t>(action.starts)] != 0;
    if (free <= 0 || twice || held) continue;
    --free;
    started.push_back(action.starts);
    emit(std::move(action.emit));
  }
  for (const size_t step : ready_) {
    if (free <= 0) return;
    if (jump_ && jump_->members[step] != 0) continue;
    --free;
    emit(steps_.begin(step).emit);
  }
}

/// The first step that failed, and was not optional, in a run that went on after it.
const StepState* Decider::tolerated_failure() const {
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    const model::Step& step = program_.steps()[i];
    if (state_.steps[i].status != StepStatus::kFailed || step.optional || step.rework_only)
      continue;
    return &state_.steps[i];
  }
  return nullptr;
}

void Decider::end_run() {
  if (const StepState* failed = tolerated_failure()) return fail_run(failed->id, failed->failure);
  if (run_hook(HookEvent::kRunCompleted)) return;
  bool any_empty = false;
  bool any_change = false;
  std::map<std::string_view, int> counts;
  for (const StepState& step : state_.steps) {
    const bool done =
        step.status == StepStatus::kCompleted || step.status == StepStatus::kCompletedEmpty;
    any_empty = any_empty || step.status == StepStatus::kCompletedEmpty;
    any_change = any_change || (done && step.changed_tree);
    counts[flow::to_string(step.status)] += 1;
  }
  json::object steps;
  for (const auto& [status, count] : counts) steps[status] = count;
  const bool empty = any_empty && !any_change;
  emit({run_end(Kind::kRunCompleted, state_, empty ? "empty" : "success",
                {{"steps", std::move(steps)}})});
}

/// Nothing runs any more, and nothing may be started.
void Decider::end_over_budget() {
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    const StepState& step = state_.steps[i];
    const bool never_begun = step.visit == 0;
    if (!is_terminal(step.status) && !never_begun) cancel_step(i, "budget_exhausted");
  }
  if (emits()) return;
  const double ceiling = program_.project.manifest.runtime.cost.budget_ceiling;
  const Failure failure{
      .failure_class = FailureClass::kBudgetExhausted,
      .code = std::string(code_name(Code::kLimit)),
      .message = fmt::format("the run cost {:.4f} USD; runtime.cost.budget_ceiling is {:.4f}",
                             state_.usage.cost_usd, ceiling),
      .contract_errors = {},
      .output_tail = {}};
  fail_run("", failure);
}

/// No step runs and none can start: the run waits, or something is wrong.
void Decider::rest() {
  bool at_gate = false;
  bool at_timer = false;
  bool limited = false;
  std::string lacking;
  for (const size_t step : active_) {
    const StepState& at = state_.steps[step];
    if (!at.waits_for.empty()) {
      lacking = at.waits_why;
    } else if (at.status == StepStatus::kWaiting) {
      (at.gate->type == "timer" ? at_timer : at_gate) = true;
    } else if (at.status == StepStatus::kRetrying) {
      const auto timer = state_.timers.find(at.retry_timer);
      if (timer == state_.timers.end()) continue;
      if (timer->second.due - timer->second.set_at <= kShortWait) return;  // worth keeping the slot
      (timer->second.purpose == "rate_limit" ? limited : at_timer) = true;
    }
  }
  if (at_gate || at_timer || limited || any_lacks_disk_) {
    if (state_.status == RunStatus::kWaiting) return;
    if (!at_gate && any_lacks_disk_) {
      return emit(
          {run_event(Kind::kRunWaiting, {{"reason", kWaitsForDisk}, {"message", lacking}})});
    }
    const std::string_view reason = at_gate ? "gate" : limited ? "rate_limit" : "timer";
    return emit({run_event(Kind::kRunWaiting, {{"reason", reason}})});
  }
  std::vector<std::string> stuck;
  for (size_t i = 0; i < state_.steps.size(); ++i) {
    const StepState& step = state_.steps[i];
    if (is_terminal(step.status) || program_.steps()[i].rework_only) continue;
    stuck.push_back(fmt::format("{} ({})", step.id, flow::to_string(step.status)));
  }
  const Failure failure{
      .failure_class = FailureClass::kInternal,
      .code = "internal_error",
      .message = fmt::format("the run cannot go on: no step can start, {} left: {}", stuck.size(),
                             fmt::join(stuck, ", ")),
      .contract_errors = {},
      .output_tail = {}};
  fail_run("", failure);
}

/// One look at the disk serves all that wait for it.
void Decider::await_disk() {
  const bool lacks = any_lacks_disk_ || (state_.status == RunStatus::kWaiting &&
                                         state_.waiting_reason == kWaitsForDisk);
  if (lacks && !emits()) out_.operations.emplace_back().kind = OperationKind::kAwaitDisk;
}

void Decider::go_on() {
  if (run_hook(HookEvent::kRunStart)) return;
  if (warn_of_budget(); emits()) return;
  if (look_for_jump(); jump_) {
    if (carry_out_jump(); emits()) return;
  }
  if (advance_active(); emits()) return;
  if (skip_what_cannot_run(); emits()) return;
  if (start_what_is_ready(); emits()) return;
  if (!out_.operations.empty()) return;
  const bool was_cut = std::ranges::any_of(
      state_.steps, [](const StepState& step) { return step.status == StepStatus::kCancelled; });
  if (over_budget_ && (any_unfinished_ || !active_.empty() || was_cut)) return end_over_budget();
  if (!any_unfinished_ && active_.empty()) return end_run();
  rest();
}

}  // namespace

std::string Operation::key() const {
  return fmt::format("{}:{}:{}.{}:{}:{}:{}:{}.{}", to_string(kind), step, visit, attempt, index,
                     kind == OperationKind::kRunHook ? hook_event_name(hook_event) : "", purpose,
                     round, restart);
}

Decisions decide(const Program& program, const RunState& state) {
  return Decider(program, state).decide();
}

}  // namespace wave::flow
