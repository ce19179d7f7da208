// What the tests of this room share: pipelines built by hand, and a script that plays the executor.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "flow/decide.h"
#include "flow/fold.h"
#include "flow/projection.h"

namespace wave::flow::testing {

inline model::Template text(std::string literal) {
  model::Template result;
  result.parts.emplace_back(std::move(literal));
  return result;
}

/// A pipeline under construction: `Build().command("a").command("b", {"a"}).program()`.
class Build {
 public:
  Build() {
    project_.pipeline.name = "test";
    project_.manifest.runtime.max_concurrency = 10;
  }

  Build& add(std::string id, model::StepKind kind, std::vector<std::string> dependencies) {
    model::Step step;
    step.id = std::move(id);
    step.kind = kind;
    step.dependencies = std::move(dependencies);
    if (kind == model::StepKind::kPersona) step.persona = text("worker");
    if (kind == model::StepKind::kGate) step.gate.emplace();
    project_.pipeline.steps.push_back(std::move(step));
    return *this;
  }
  Build& command(std::string id, std::vector<std::string> dependencies = {}) {
    return add(std::move(id), model::StepKind::kCommand, std::move(dependencies));
  }
  Build& persona(std::string id, std::vector<std::string> dependencies = {}) {
    return add(std::move(id), model::StepKind::kPersona, std::move(dependencies));
  }
  Build& gate(std::string id, std::vector<std::string> dependencies = {},
              std::vector<model::GateChoice> choices = {}) {
    add(std::move(id), model::StepKind::kGate, std::move(dependencies));
    last().gate->choices = std::move(choices);
    return *this;
  }
  /// Changes the step that was added last.
  Build& with(const std::function<void(model::Step&)>& change) {
    change(last());
    return *this;
  }
  Build& attempts(int count, Millis delay = Millis(1000)) {
    last().retry.max_attempts = count;
    last().retry.base_delay = delay;
    return *this;
  }
  Build& on_failure(model::OnFailure policy, std::string rework_step = {}) {
    last().retry.on_failure = policy;
    last().retry.rework_step = std::move(rework_step);
    return *this;
  }
  Build& contract(model::OnFailure policy = model::OnFailure::kFail, std::string rework_step = {},
                  int max_retries = 0) {
    model::Contract contract;
    contract.type = "test_suite";
    contract.on_failure = policy;
    contract.rework_step = std::move(rework_step);
    contract.max_retries = max_retries;
    last().contracts.push_back(std::move(contract));
    return *this;
  }
  Build& worktree() {
    last().workspace.kind = model::Workspace::Kind::kWorktree;
    return *this;
  }
  Build& output(std::string name) {
    model::OutputArtifact artifact;
    artifact.name = std::move(name);
    last().output_artifacts.push_back(std::move(artifact));
    return *this;
  }
  Build& rework_only() {
    last().rework_only = true;
    return *this;
  }
  Build& optional() {
    last().optional = true;
    return *this;
  }
  Build& hook(model::Hook::Event event, bool blocking = false) {
    model::Hook hook;
    hook.name = "hook";
    hook.event = event;
    hook.blocking = blocking;
    project_.pipeline.hooks.push_back(hook);
    return *this;
  }
  Build& runtime(const std::function<void(model::RuntimeConfig&)>& change) {
    change(project_.manifest.runtime);
    return *this;
  }
  model::Step& last() { return project_.pipeline.steps.back(); }
  model::Project& project() { return project_; }
  [[nodiscard]] Program program() const { return Program(project_); }

 private:
  model::Project project_;
};

/// How each operation of a step is to end; what is not said succeeds.
inline json::object success() {
  return {{"succeeded", true}};
}
inline json::object failure(std::string_view failure_class = "transient",
                            std::string_view message = "it broke") {
  return {{"succeeded", false},
          {"failure_class", failure_class},
          {"code", "agent_failed"},
          {"message", message}};
}

/// Plays the executor: folds, decides to a fixpoint, and answers operations as the test says.
class Script {
 public:
  explicit Script(Program program, RunOptions options = {},
                  std::optional<Event> forked = std::nullopt)
      : program_(std::move(program)), state_(initial_state(program_, "test-run")) {
    if (forked) put(*std::move(forked));
    Event queued;
    queued.kind = Kind::kRunQueued;
    queued.actor = "cli:somebody";
    queued.data = {{"pipeline", "test"}, {"options", to_json(options)}};
    put(std::move(queued));
  }

  /// Folds an event as the executor would stamp it, and what follows from it.
  void put(Event event) {
    fold(std::move(event));
    settle();
  }
  /// The error that folding the event gives; the state does not change then.
  Status try_put(Event event) {
    stamp(event);
    RunState before = state_;
    return apply(program_, before, event);
  }

  /// Until only what the test has to answer is asked for: takes the slot.
  void run() {
    const Operation* slot = asked(OperationKind::kAcquireSlot);
    ASSERT_NE(slot, nullptr) << log();
    Event event;
    event.kind = state_.started_at ? Kind::kRunResumed : Kind::kRunStarted;
    if (state_.started_at) event.data = {{"reason", "ready"}};
    put(std::move(event));
  }

  // --- answers to operations; they fail the test when the operation is not asked for ---
  void exits(const std::string& step, json::object data = success()) {
    answer(OperationKind::kExecute, step, Kind::kAgentExited, std::move(data));
  }
  void fails(const std::string& step, std::string_view failure_class = "transient",
             std::string_view message = "it broke") {
    exits(step, failure(failure_class, message));
  }
  void collects(const std::string& step, json::object data = {}) {
    answer(OperationKind::kCollectOutputs, step, Kind::kOutputsCollected, std::move(data));
  }
  void passes(const std::string& step) {
    const Operation* operation = asked(OperationKind::kCheckContract, step);
    ASSERT_NE(operation, nullptr) << step << log();
    answer(OperationKind::kCheckContract, step, Kind::kContractPassed,
           {{"index", operation->index}, {"type", "test_suite"}});
  }
  void breaks(const std::string& step, std::string_view failure_class = "contract_failure") {
    const Operation* operation = asked(OperationKind::kCheckContract, step);
    ASSERT_NE(operation, nullptr) << step << log();
    answer(OperationKind::kCheckContract, step, Kind::kContractFailed,
           {{"index", operation->index},
            {"type", "test_suite"},
            {"policy", "fail"},
            {"message", "2 tests failed"},
            {"errors", json::array{"a", "b"}},
            {"failure_class", failure_class}});
  }
  void keeps(const std::string& step) {
    answer(OperationKind::kCheckpoint, step, Kind::kCheckpointCreated,
           {{"ref", "refs/wave/x"}, {"commit", "c0ffee"}});
  }
  void hooked(const std::string& step = {}, bool blocked = false) {
    const Operation* operation = asked(OperationKind::kRunHook, step);
    ASSERT_NE(operation, nullptr) << step << log();
    answer(OperationKind::kRunHook, step, blocked ? Kind::kHookFailed : Kind::kHookPassed,
           blocked ? json::object{{"hook_event", hook_event_name(operation->hook_event)},
                                  {"index", operation->index},
                                  {"message", "no"},
                                  {"blocked", true}}
                   : json::object{{"hook_event", hook_event_name(operation->hook_event)},
                                  {"index", operation->index}});
  }
  void opens(const std::string& step) {
    const Operation* operation = asked(OperationKind::kOpenGate, step);
    ASSERT_NE(operation, nullptr) << step << log();
    put(gate_waiting(program_, state_, *operation, "Go on?"));
  }
  void decides(const std::string& step, const std::string& choice) {
    const StepState& at = this->step(step);
    ASSERT_TRUE(at.gate) << step;
    put(gate_resolved(*at.gate, step, at.visit, "decided", choice, "because", "ann", "cli"));
  }
  void interrupts(const std::string& step, std::string_view reason = "machine") {
    answer(OperationKind::kExecute, step, Kind::kStepInterrupted, {{"reason", reason}});
  }
  /// Moves the clock to the earliest timer and fires it.
  void fires() {
    ASSERT_FALSE(state_.timers.empty()) << log();
    const auto first = std::ranges::min_element(state_.timers, {},
                                                [](const auto& entry) { return entry.second.due; });
    const TimerState timer = first->second;
    now_ = std::max(now_, timer.due);
    put(timer_fired(timer));
  }
  void cancel(bool force = false) { put(run_cancel_requested("ann", "enough", force)); }
  void stop(const std::string& reason = {}) { put(run_stop_requested("ann", reason)); }
  void resume() {
    Event event;
    event.kind = Kind::kRunQueued;
    event.data = {{"resuming", true}};
    put(std::move(event));
    run();
  }

  // --- what there is to look at ---
  [[nodiscard]] const RunState& state() const { return state_; }
  [[nodiscard]] const Program& program() const { return program_; }
  [[nodiscard]] const std::vector<Event>& events() const { return events_; }
  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }
  [[nodiscard]] const StepState& step(const std::string& id) const { return *state_.find(id); }
  [[nodiscard]] std::string status() const { return std::string(to_string(state_.status)); }
  [[nodiscard]] std::string status(const std::string& id) const {
    return std::string(to_string(step(id).status));
  }
  [[nodiscard]] const Operation* asked(OperationKind kind, const std::string& step = {}) const {
    for (const Operation& operation : operations_) {
      if (operation.kind == kind && operation.step == step) return &operation;
    }
    return nullptr;
  }
  [[nodiscard]] bool runs(const std::string& id) const {
    return asked(OperationKind::kExecute, id) != nullptr;
  }
  /// The last event of a kind (and step), or nullptr.
  [[nodiscard]] const Event* last(Kind kind, const std::string& step = {}) const {
    for (auto event = events_.rbegin(); event != events_.rend(); ++event) {
      if (event->kind == kind && (step.empty() || event->step == step)) return &*event;
    }
    return nullptr;
  }
  [[nodiscard]] size_t count(Kind kind, const std::string& step = {}) const {
    return static_cast<size_t>(std::ranges::count_if(events_, [&](const Event& event) {
      return event.kind == kind && (step.empty() || event.step == step);
    }));
  }
  [[nodiscard]] std::string field(Kind kind, std::string_view name,
                                  const std::string& step = {}) const {
    const Event* event = last(kind, step);
    if (event == nullptr) return "<no event>";
    const json::value* value = find(event->data, name);
    return value == nullptr ? "<no field>" : json_to_text(*value);
  }
  /// The log, for messages of failing tests.
  [[nodiscard]] std::string log() const {
    std::string lines = "\n";
    for (const Event& event : events_) lines += encode(event) + "\n";
    for (const Operation& operation : operations_) {
      lines += fmt::format("asks {} stop {}\n", operation.key(), static_cast<int>(operation.stop));
    }
    return lines;
  }
  WallTime& now() { return now_; }

  /// The fixpoint: folds what decide() emits until it emits nothing.
  void settle() {
    for (int round = 0; round < 10'000; ++round) {
      Decisions decisions = decide(program_, state_);
      operations_ = std::move(decisions.operations);
      if (decisions.emit.empty()) return;
      for (Event& event : decisions.emit) {
        if (!fold(std::move(event))) return;
      }
    }
    ADD_FAILURE() << "decide() never comes to rest" << log();
  }
  void answer(OperationKind kind, const std::string& step, Kind event_kind, json::object data) {
    const Operation* operation = asked(kind, step);
    ASSERT_NE(operation, nullptr) << step << log();
    Event event;
    event.kind = event_kind;
    event.step = step;
    event.visit = operation->visit;
    event.attempt = operation->attempt;
    event.data = std::move(data);
    put(std::move(event));
  }

 private:
  void stamp(Event& event) {
    event.seq = state_.last_seq + 1;
    event.run_id = state_.run_id;
    event.ts = now_;
    if (event.kind == Kind::kTimerSet) {
      event.data["due"] = format_time(now_ + Millis(get_int(event.data, "delay_ms")));
    }
    if (const int64_t timeout = get_int(event.data, "timeout_ms");
        event.kind == Kind::kGateWaiting && timeout > 0) {
      event.data["deadline"] = format_time(now_ + Millis(timeout));
    }
  }
  bool fold(Event event) {
    now_ += Millis(1);
    stamp(event);
    EXPECT_TRUE(check_fields(event)) << encode(event) << full_message(check_fields(event).error());
    const Status applied = apply(program_, state_, event);
    EXPECT_TRUE(applied) << full_message(applied.error()) << log();
    if (applied) events_.push_back(std::move(event));
    return applied.has_value();
  }

  Program program_;
  RunState state_;
  WallTime now_{Millis(1'700'000'000'000)};
  std::vector<Event> events_;
  std::vector<Operation> operations_;
};

}  // namespace wave::flow::testing
