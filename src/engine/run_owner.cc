#include "engine/run_owner.h"

#include <fmt/core.h>

#include "base/log.h"
#include "engine/quarantine.h"
#include "engine/values.h"
#include "flow/fold.h"
#include "flow/model_choice.h"

namespace wave::engine {
namespace {

using flow::Event;
using flow::Kind;

constexpr Millis kFlushRetry{1'000};
constexpr int kMaxRounds = 100'000;  // of decide() without an operation: more is a bug, not a run

// Retries of many runs must not come back in step: up to a tenth is added.
Millis jitter(Random& random, Millis delay) {
  const int64_t room = delay.count() / 10;
  return Millis(room == 0 ? 0
                          : static_cast<int64_t>(random.next() % static_cast<uint64_t>(room + 1)));
}

}  // namespace

RunOwner::RunOwner(std::shared_ptr<RunContext> run, store::OwnerLock lock, int64_t epoch,
                   Engine::OnEnd on_end)
    : run_(std::move(run)), lock_(std::move(lock)), epoch_(epoch), on_end_(std::move(on_end)) {
  committed_seq_ = run_->state.last_seq;
}

RunOwner::~RunOwner() {
  abandon();
}

void RunOwner::begin() {
  const flow::RunState& state = run_->state;
  if (state.status == flow::RunStatus::kRunning && run_->slots != nullptr) {
    run_->slots->occupy(run_->run_id);
    holds_slot_ = true;
  }
  // Somebody stopped it, or went away while it was stopping: whoever adopts it wants it to go on.
  const bool was_stopped = state.stop_requested || flow::is_stopped(state.waiting_reason);
  // First what was asked meanwhile: a run that was cancelled in the queue does not start.
  poll_commands();
  if (over_ || quarantine_) return;
  std::vector<Event> events;
  if (was_stopped && !state.cancel_requested && !flow::is_terminal(state.status)) {
    const bool wants_slot = run_->slots != nullptr && state.status == flow::RunStatus::kWaiting;
    Event& resumed = events.emplace_back();
    resumed.kind = wants_slot ? Kind::kRunQueued : Kind::kRunResumed;
    if (wants_slot) {
      resumed.data["resuming"] = true;
    } else {
      resumed.data["reason"] = "resume";
    }
  }
  happen(std::move(events));
}

void RunOwner::happen(std::vector<Event> events, std::vector<store::SpoolMark> marks,
                      std::vector<int64_t> commands, std::function<void()> committed) {
  if (over_ || quarantine_) return;
  bool folded = events.empty();
  for (Event& event : events) {
    folded |= flow::info(event.kind).folded;
    if (!fold(std::move(event))) return;
  }
  std::ranges::move(marks, std::back_inserter(pending_marks_));
  pending_commands_.insert(pending_commands_.end(), commands.begin(), commands.end());
  if (committed) pending_committed_.push_back(std::move(committed));
  if (folded) decide();
  flush();
}

void RunOwner::stamp(Event& event) const {
  event.seq = run_->state.last_seq + 1;
  event.run_id = run_->run_id;
  event.ts = std::max(run_->loop.clock().wall(), run_->state.last_ts);
  if (event.kind == Kind::kTimerSet && !event.data.contains("due")) {
    const Millis delay(get_int(event.data, "delay_ms"));
    const bool exact = get_string(event.data, "purpose") == "gate";
    event.data["due"] =
        format_time(event.ts + delay + (exact ? Millis(0) : jitter(run_->random, delay)));
  }
  if (event.kind == Kind::kGateWaiting && event.data.contains("timeout_ms")) {
    event.data["deadline"] = format_time(event.ts + Millis(get_int(event.data, "timeout_ms")));
  }
  if (event.kind == Kind::kStepStarted) {
    const model::Step& step = run_->step(event.step);
    if (step.kind != model::StepKind::kPersona) return;
    const auto name = Values(*run_, event.step).render(step.persona);
    if (!name) return;  // the set-up says what is wrong with it
    event.persona = *name;
    const auto persona = run_->manifest().personas.find(*name);
    if (persona == run_->manifest().personas.end()) return;
    const flow::ModelChoice choice = flow::choose_model(run_->manifest(), step, &persona->second,
                                                        run_->state.options, event.attempt);
    event.data["adapter"] = choice.adapter;
    if (!choice.model.empty()) event.data["model"] = choice.model;
  }
}

bool RunOwner::fold(Event event) {
  stamp(event);
  if (auto applied = flow::apply(run_->program, run_->state, event); !applied) {
    quarantine(applied.error().wrapped(
        fmt::format("event {} does not fit the state of the run", flow::to_string(event.kind))));
    return false;
  }
  pending_events_.push_back(std::move(event));
  return true;
}

void RunOwner::decide() {
  for (int round = 0; round < kMaxRounds; ++round) {
    flow::Decisions decisions = flow::decide(run_->program, run_->state);
    if (decisions.emit.empty()) {
      wanted_ = std::move(decisions.operations);
      wanted_seq_ = run_->state.last_seq;
      return;
    }
    for (Event& event : decisions.emit) {
      if (!fold(std::move(event))) return;
    }
  }
  quarantine(Error(Code::kInternal, "deciding does not come to an end"));
}

void RunOwner::flush() {
  if (appending_ || over_) return;
  if (pending_events_.empty() && pending_commands_.empty() && pending_marks_.empty()) {
    if (committed_seq_ >= wanted_seq_) carry_out();
    return;
  }
  appending_ = true;
  store::Append append;
  append.run_id = run_->run_id;
  append.owner_epoch = epoch_;
  append.events = pending_events_;  // kept until they are on disk: the disk may be full now
  append.spool_marks = pending_marks_;
  append.consumed_commands = pending_commands_;
  if (!pending_events_.empty()) {
    append.projection = flow::project(run_->program, run_->state, committed_seq_);
  }
  const uint64_t seq = run_->state.last_seq;
  const size_t events = pending_events_.size(), marks = pending_marks_.size(),
               commands = pending_commands_.size();
  auto committed = std::exchange(pending_committed_, {});
  run_->store.append(
      std::move(append), [weak = weak_from_this(), loop = &run_->loop, seq, events, marks, commands,
                          committed = std::move(committed)](Status status) mutable {
        loop->post([weak, seq, events, marks, commands, status = std::move(status),
                    committed = std::move(committed)]() mutable {
          const auto self = weak.lock();
          if (!self || self->over_) return;
          if (status) {
            const auto drop = [](auto& list, size_t count) {
              list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(count));
            };
            drop(self->pending_events_, events);
            drop(self->pending_marks_, marks);
            drop(self->pending_commands_, commands);
          }
          if (!self->quarantine_) return self->flushed(status, seq, std::move(committed));
          if (status) self->committed_seq_ = seq;
          self->write_quarantine();
        });
      });
}

void RunOwner::flushed(const Status& status, uint64_t seq,
                       std::vector<std::function<void()>> committed) {
  appending_ = false;
  if (!status) {
    std::ranges::move(pending_committed_, std::back_inserter(committed));
    pending_committed_ = std::move(committed);
    if (status.error().code == Code::kRunLocked) {
      // Another process owns the run now; nothing we know is true any more.
      return end({.status = run_->state.status, .quarantine = fail(status.error())});
    }
    // Once: it is tried again every second.
    if (!std::exchange(told_unstored_, true)) {
      log::warning("run {}: events are not stored yet: {} ({})", run_->run_id,
                   full_message(status.error()), status.error().hint);
    }
    return retry_flush_later();
  }
  if (std::exchange(told_unstored_, false)) log::info("run {}: events are stored", run_->run_id);
  committed_seq_ = seq;
  for (const auto& callback : committed) callback();
  if (over_) return;
  // First what was decided, then what has come since: in a flood of output something always has,
  // and a stop must not wait for its end. Only the end of the run waits for everything.
  const auto has_pending = [this] {
    return !pending_events_.empty() || !pending_commands_.empty();
  };
  const bool ends =
      flow::is_terminal(run_->state.status) || flow::is_stopped(run_->state.waiting_reason);
  if (committed_seq_ >= wanted_seq_ && !(ends && has_pending())) carry_out();
  if (!over_ && has_pending()) flush();
}

// Nothing is lost: the events stay here, nothing that depends on them starts, and it is tried
// again.
void RunOwner::retry_flush_later() {
  if (retry_timer_ != 0) return;
  retry_timer_ = run_->loop.call_at(run_->loop.clock().mono() + kFlushRetry, [this] {
    retry_timer_ = 0;
    flush();
  });
}

void RunOwner::carry_out() {
  const flow::RunState& state = run_->state;
  if (flow::is_terminal(state.status)) return end({.status = state.status});
  if (state.status == flow::RunStatus::kWaiting && flow::is_stopped(state.waiting_reason)) {
    return end({.status = state.status, .waiting_reason = state.waiting_reason});
  }
  if (state.status != flow::RunStatus::kRunning) let_go_of_slot();
  withdraw_slot_request();
  sync_timers();
  const std::vector<flow::Operation> wanted = wanted_;
  for (const flow::Operation& operation : wanted) {
    if (over_) return;
    const auto active = active_.find(operation.key());
    if (active == active_.end()) {
      start_operation(operation);
    } else if (operation.stop > active->second->stop_reason()) {
      active->second->stop(operation.stop);
    }
  }
}

/// It waits, and somebody else may run meanwhile (promise Q3).
void RunOwner::let_go_of_slot() {
  if (!std::exchange(holds_slot_, false)) return;
  run_->slots->release(run_->run_id, run_->state.waiting_reason);
}

void RunOwner::withdraw_slot_request() {
  const auto wants_slot = [](const flow::Operation& operation) {
    return operation.kind == flow::OperationKind::kAcquireSlot;
  };
  if (std::ranges::any_of(wanted_, wants_slot)) return;
  const auto asked = std::ranges::find_if(
      active_, [&](const auto& active) { return wants_slot(active.second->operation()); });
  if (asked == active_.end()) return;
  asked->second->detach();
  run_->loop.post([keep = std::move(asked->second)] {});
  active_.erase(asked);
  if (run_->slots != nullptr) run_->slots->release(run_->run_id, run_->state.waiting_reason);
}

void RunOwner::start_operation(const flow::Operation& operation) {
  const std::string key = operation.key();
  auto started = make_operation(run_, operation, [weak = weak_from_this(), key](Report report) {
    if (const auto self = weak.lock()) {
      self->operation_reported(key, std::move(report));
    }
  });
  active_.emplace(key, started);
  if (operation.stop != flow::StopReason::kNone) started->stop(operation.stop);
  started->start();
}

void RunOwner::operation_reported(const std::string& key, Report report) {
  // An operation may end within start(): its object is kept until the stack is unwound.
  if (report.ended) {
    const auto active = active_.find(key);
    if (active != active_.end()) {
      const auto kind = active->second->operation().kind;
      const bool is_slot = kind == flow::OperationKind::kAcquireSlot;
      const bool is_withdrawn =
          kind == flow::OperationKind::kAwaitDisk &&
          std::ranges::none_of(wanted_, [&](const auto& wanted) { return wanted.key() == key; });
      if (is_slot && run_->slots != nullptr) holds_slot_ = true;
      run_->loop.post([keep = std::move(active->second)] {});
      active_.erase(active);
      if (is_withdrawn) return;  // the run ends, or waits for something else by now
    }
  }
  happen(std::move(report.events), std::move(report.spool_marks), {}, std::move(report.committed));
}

void RunOwner::sync_timers() {
  std::erase_if(armed_, [&](const auto& armed) {
    if (run_->state.timers.contains(armed.first)) return false;
    run_->loop.cancel_timer(armed.second);
    return true;
  });
  const WallTime now = run_->loop.clock().wall();
  for (const auto& [id, timer] : run_->state.timers) {
    if (armed_.contains(id)) continue;
    const Millis wait = std::max(timer.due - now, Millis(0));
    armed_[id] = run_->loop.call_at(run_->loop.clock().mono() + wait,
                                    [this, timer_id = id] { timer_due(timer_id); });
  }
}

void RunOwner::timer_due(const std::string& id) {
  armed_.erase(id);
  const auto timer = run_->state.timers.find(id);
  if (timer == run_->state.timers.end()) return;
  if (timer->second.purpose == "gate") {
    // A deadline is a decision like any other: the first one that is stored wins.
    const flow::StepState* step = run_->state.find(timer->second.step);
    if (step != nullptr && step->gate && !step->gate->resolved) {
      store::Command command;
      command.run_id = run_->run_id;
      command.kind = "gate";
      command.gate_id = step->gate->gate_id;
      command.payload = {{"deadline", true}, {"timer", id}};
      command.actor = "wave";
      command.via = "deadline";
      command.idempotency_key = "deadline:" + step->gate->gate_id;
      command.created_at = run_->loop.clock().wall();
      const auto submitted = run_->store.submit_command(command);
      if (!submitted && submitted.error().code != Code::kGateDecided) {
        log::warning("run {}: {}", run_->run_id, full_message(submitted.error()));
        armed_[id] = run_->loop.call_at(run_->loop.clock().mono() + kFlushRetry,
                                        [this, id] { timer_due(id); });
        return;
      }
      return poll_commands();
    }
  }
  happen({flow::timer_fired(timer->second)});
}

std::optional<Event> RunOwner::event_of(const store::Command& command) const {
  const flow::RunState& state = run_->state;
  if (flow::is_terminal(state.status)) return std::nullopt;  // it came too late
  if (command.kind == "cancel") {
    const bool force = get_bool(command.payload, "force");
    if (state.cancel_requested && (state.cancel_force || !force)) return std::nullopt;
    return flow::run_cancel_requested(command.actor,
                                      std::string(get_string(command.payload, "reason")), force);
  }
  if (command.kind == "stop") {
    if (state.stop_requested || state.cancel_requested) return std::nullopt;
    return flow::run_stop_requested(command.actor,
                                    std::string(get_string(command.payload, "reason")));
  }
  if (command.kind != "gate") return std::nullopt;
  for (const flow::StepState& step : state.steps) {
    if (!step.gate || step.gate->resolved || step.gate->gate_id != command.gate_id) continue;
    if (get_bool(command.payload, "deadline")) {
      const auto timer = state.timers.find(std::string(get_string(command.payload, "timer")));
      if (timer == state.timers.end()) return std::nullopt;
      return flow::timer_fired(timer->second);
    }
    return flow::gate_resolved(*step.gate, step.id, step.visit, "decided",
                               std::string(get_string(command.payload, "choice")),
                               std::string(get_string(command.payload, "text")), command.actor,
                               command.via);
  }
  return std::nullopt;
}

void RunOwner::poll_commands() {
  if (over_ || quarantine_) return;
  const auto commands = run_->store.pending_commands(run_->run_id);
  if (!commands) {
    log::warning("run {}: {}", run_->run_id, full_message(commands.error()));
    return;
  }
  for (const store::Command& command : *commands) {
    if (std::ranges::find(taken_commands_, command.id) != taken_commands_.end()) continue;
    taken_commands_.push_back(command.id);
    std::vector<Event> events;
    if (auto event = event_of(command)) events.push_back(*std::move(event));
    happen(std::move(events), {}, {command.id});
    if (over_ || quarantine_) return;
  }
}

// One poisoned run does not take the process down: it ends as failed, and says why (promise O8).
void RunOwner::quarantine(const Error& error) {
  if (quarantine_) return;
  quarantine_ = error;
  log::error("run {} is quarantined: {}", run_->run_id, full_message(error));
  for (const auto& [key, operation] : std::exchange(active_, {})) {
    operation->stop(flow::StopReason::kForceCancel);
    operation->detach();
  }
  // What was folded and not stored may be what is wrong: it is dropped.
  pending_marks_.clear();
  if (!appending_) write_quarantine();
}

void RunOwner::write_quarantine() {
  flow::RunState failed = run_->state;
  failed.status = flow::RunStatus::kFailed;
  failed.failure = {.failure_class = flow::FailureClass::kInternal,
                    .code = std::string(code_name(quarantine_->code)),
                    .message = full_message(*quarantine_)};
  failed.last_seq = committed_seq_ + 1;
  failed.finished_at = run_->loop.clock().wall();
  store::Append append{.run_id = run_->run_id, .owner_epoch = epoch_};
  append.events.push_back(quarantine_event(run_->run_id, failed, *quarantine_));
  append.projection = flow::project(run_->program, failed, committed_seq_);
  if (auto stored = run_->store.append_and_wait(std::move(append)); !stored) {
    log::error("run {}: its end is not stored: {}", run_->run_id, full_message(stored.error()));
  }
  end({.status = flow::RunStatus::kFailed, .quarantine = fail(*quarantine_)});
}

void RunOwner::end(Engine::Ended ended) {
  if (std::exchange(over_, true)) return;
  holds_slot_ = false;
  if (run_->slots != nullptr) run_->slots->release(run_->run_id, run_->state.waiting_reason);
  for (const auto& [key, operation] : active_) operation->detach();
  active_.clear();
  for (const auto& [id, timer] : armed_) run_->loop.cancel_timer(timer);
  armed_.clear();
  if (retry_timer_ != 0) run_->loop.cancel_timer(std::exchange(retry_timer_, 0));
  lock_.reset();
  // A git that was killed meanwhile, ours or an agent's, may have left locks behind.
  if (flow::is_terminal(ended.status) && run_->inheritance->settled()) {
    run_->loop.run_lengthy(
        [run = run_] {
          const auto tidied =
              run->world.take_over(run->manifest().runtime.workspace_root, run->run_id, {});
          if (!tidied) log::warning("run {}: {}", run->run_id, full_message(tidied.error()));
        },
        [] {});
  }
  if (on_end_) std::exchange(on_end_, nullptr)(run_->run_id, ended);
}

void RunOwner::abandon() {
  on_end_ = nullptr;
  end({.status = run_->state.status});
}

}  // namespace wave::engine
