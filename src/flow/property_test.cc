// Generated pipelines with generated luck: what holds for every run, whatever happens to it. A
// failure prints its seed; WAVE_FLOW_SEED=<seed> runs that one alone.
#include <cstdlib>

#include "flow/flow_test_kit.h"
#include "flow/fork.h"

namespace wave::flow {
namespace {

using namespace testing;
using HookEvent = model::Hook::Event;
using model::OnFailure;

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull + 1) {}
  /// 0 to below - 1 (SplitMix64).
  size_t below(size_t bound) {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return static_cast<size_t>((z ^ (z >> 31)) % bound);
  }
  bool chance(size_t percent) { return below(100) < percent; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }

 private:
  uint64_t state_;
};

std::string step_name(size_t i) {
  return fmt::format("s{}", i);
}

/// A pipeline of up to nine steps and up to two that repair others.
class Generator {
 public:
  explicit Generator(Dice& dice) : dice_(dice) {}

  Program program() {
    count_ = 1 + dice_.below(9);
    for (size_t i = 0; i < count_; ++i) add_step(i);
    for (size_t i = 0; i < 2; ++i) {
      build_.command(fmt::format("fix{}", i)).rework_only();
      decorate();
    }
    constexpr int kHookEvents = 10;
    for (int event = 0; event < kHookEvents; ++event) {
      if (dice_.chance(8)) build_.hook(static_cast<HookEvent>(event), dice_.chance(50));
    }
    build_.runtime([&](model::RuntimeConfig& runtime) {
      runtime.max_concurrency = static_cast<int>(1 + dice_.below(4));
      if (dice_.chance(15)) {
        runtime.cost.warn_at = 3;
        runtime.cost.budget_ceiling = 6;
      }
    });
    build_.project().pipeline.max_step_visits = static_cast<int>(3 + dice_.below(20));
    return build_.program();
  }

 private:
  void add_step(size_t i) {
    std::vector<std::string> dependencies;
    for (size_t before = 0; before < i; ++before) {
      if (dice_.chance(30)) dependencies.push_back(step_name(before));
    }
    const size_t kind = dice_.below(10);
    if (kind < 2) {
      build_.gate(step_name(i), dependencies, gate_choices());
      model::Gate& gate = *build_.last().gate;
      if (dice_.chance(30)) gate.automatic = true;
      if (dice_.chance(30)) gate.timeout = Millis(1000);
      if (dice_.chance(30) && !gate.choices.empty()) gate.default_choice = "0";
      if (dice_.chance(20)) {
        gate.type = model::Gate::Type::kTimer;
        gate.choices.clear();
        gate.default_choice.clear();
      }
    } else {
      build_.add(step_name(i), kind < 6 ? model::StepKind::kPersona : model::StepKind::kCommand,
                 dependencies);
      decorate();
    }
    model::Step& step = build_.last();
    step.max_visits = static_cast<int>(1 + dice_.below(5));
    if (dice_.chance(15)) step.optional = true;
    const size_t policy = dice_.below(10);
    if (policy == 0) step.retry.on_failure = OnFailure::kSkip;
    if (policy == 1) step.retry.on_failure = OnFailure::kContinue;
    if (policy == 2) {
      step.retry.on_failure = OnFailure::kRework;
      step.retry.rework_step = fmt::format("fix{}", dice_.below(2));
    }
  }

  std::vector<model::GateChoice> gate_choices() {
    std::vector<model::GateChoice> choices;
    const size_t wanted = dice_.below(4);
    for (size_t i = 0; i < wanted; ++i) {
      std::string target;
      if (dice_.chance(50)) target = step_name(dice_.below(count_));
      if (dice_.chance(10)) target = "_fail";
      choices.push_back({.label = "choice", .key = std::to_string(i), .target = target});
    }
    return choices;
  }

  void decorate() {
    model::Step& step = build_.last();
    if (dice_.chance(30)) {
      build_.attempts(static_cast<int>(1 + dice_.below(4)),
                      Millis(dice_.chance(30) ? 20'000 : 100));
    }
    if (dice_.chance(25)) build_.worktree();
    if (dice_.chance(25)) build_.output("out");
    while (dice_.chance(25)) {
      static const std::vector<OnFailure> kPolicies{
          OnFailure::kFail,   OnFailure::kFail,   OnFailure::kSkip,     OnFailure::kContinue,
          OnFailure::kRework, OnFailure::kRework, OnFailure::kRejected, OnFailure::kWarn};
      build_.contract(dice_.pick(kPolicies), fmt::format("fix{}", dice_.below(2)),
                      static_cast<int>(dice_.below(3)));
    }
    using OnInterrupt = model::Step::OnInterrupt;
    if (dice_.chance(20)) step.on_interrupt = OnInterrupt::kGate;
    if (dice_.chance(10)) step.on_interrupt = OnInterrupt::kFail;
  }

  Dice& dice_;
  Build build_;
  size_t count_ = 0;
};

/// What of a state tells whether two of them are the same.
std::string fingerprint(const Program& program, const RunState& state) {
  std::string all =
      fmt::format("{} {} {} {} {} {} {} {}\n", to_string(state.status), state.last_seq,
                  state.waiting_reason, state.usage.cost_usd, state.failed_step,
                  state.timers.size(), state.ending_seq, state.progress_seq);
  for (const auto& [fingerprint, count] : state.failure_counts) {
    all += fmt::format("{}={}\n", fingerprint, count);
  }
  for (const StepState& step : state.steps) {
    all += fmt::format("{} {} {}.{} {} {} {} {} {} {} {} {} {} '{}' '{}' {}\n", step.id,
                       to_string(step.status), step.visit, step.attempt, step.interruptions,
                       step.restarts, step.agent_exited, step.outputs_collected,
                       step.contracts_done, step.rework_rounds, step.checkpointed, step.changed_seq,
                       step.progress_seq, step.rework_for, step.reworked_by, step.artifacts.size());
    if (step.gate) all += fmt::format("  {} {}\n", step.gate->gate_id, step.gate->outcome);
  }
  const Decisions decisions = decide(program, state);
  for (const Event& event : decisions.emit) all += encode(event) + "\n";
  for (const Operation& operation : decisions.operations) {
    all += fmt::format("{} {}\n", operation.key(), static_cast<int>(operation.stop));
  }
  return all;
}

/// Drives one run to its end with an executor that is unlucky at random, and checks on the way.
class Trial {
 public:
  explicit Trial(uint64_t seed) : dice_(seed), program_(Generator(dice_).program()) {
    state_ = initial_state(program_, "run");
    if (dice_.chance(10)) options_.exclude = {step_name(dice_.below(4))};
    if (dice_.chance(10)) options_.steps = {step_name(0), step_name(2), step_name(3)};
  }

  void run() {
    Event queued;
    queued.kind = Kind::kRunQueued;
    queued.data = {{"options", to_json(options_)}};
    put(std::move(queued));
    for (int turn = 0; turn < 5'000 && !::testing::Test::HasFailure(); ++turn) {
      if (is_terminal(state_.status)) return check_end();
      take_turn();
    }
    if (!::testing::Test::HasFailure()) ADD_FAILURE() << "the run never ends";
  }

  [[nodiscard]] std::string log() const {
    std::string lines = "\n";
    for (const Event& event : log_) lines += encode(event) + "\n";
    lines += fingerprint(program_, state_);
    return lines;
  }
  [[nodiscard]] const RunState& state() const { return state_; }
  [[nodiscard]] const Program& program() const { return program_; }

 private:
  void take_turn() {
    if (dice_.chance(1)) return put(run_cancel_requested("ann", "", dice_.chance(50)));
    if (dice_.chance(1) && !state_.stop_requested) return put(run_stop_requested("ann"));
    if (state_.status == RunStatus::kWaiting && state_.waiting_reason == "stopped") {
      return go_on_after_stop();
    }
    // What the world can do now: end an operation, fire a timer, decide a gate.
    std::vector<std::function<void()>> possible;
    for (const Operation& operation : operations_) {
      possible.emplace_back([this, operation] { answer(operation); });
    }
    for (const auto& [id, timer] : state_.timers) {
      possible.emplace_back([this, timer] {
        now_ = std::max(now_, timer.due);
        put(timer_fired(timer));
      });
    }
    for (const StepState& step : state_.steps) {
      if (step.status != StepStatus::kWaiting) continue;
      possible.emplace_back([this, id = step.id] { decide_gate(id); });
    }
    ASSERT_FALSE(possible.empty()) << "the run is stuck silently";
    dice_.pick(possible)();
  }

  void go_on_after_stop() {
    Event event;
    const bool directly = dice_.chance(30);
    event.kind = directly ? Kind::kRunResumed : Kind::kRunQueued;
    event.data = directly ? json::object{{"reason", "resume"}} : json::object{{"resuming", true}};
    put(std::move(event));
  }

  void decide_gate(const std::string& id) {
    const StepState& step = *state_.find(id);
    std::string choice;
    if (!step.gate->choices.empty()) choice = dice_.pick(step.gate->choices).key;
    put(gate_resolved(*step.gate, id, step.visit, "decided", choice, "", "ann", "cli"));
  }

  Event event_of(const Operation& operation, Kind kind, json::object data) {
    Event event;
    event.kind = kind;
    event.step = operation.step;
    event.visit = operation.visit;
    event.attempt = operation.attempt;
    event.data = std::move(data);
    return event;
  }

  /// The disk is full, now and then: the operation is asked for again when it is not.
  bool lacks_disk(const Operation& operation) {
    if (operation.kind == OperationKind::kAcquireSlot ||
        operation.kind == OperationKind::kAwaitDisk || operation.kind == OperationKind::kOpenGate) {
      return false;
    }
    if (operation.stop != StopReason::kNone || !dice_.chance(4)) return false;
    const Kind kind = operation.step.empty() ? Kind::kRunWaiting : Kind::kStepWaiting;
    put(event_of(operation, kind, {{"reason", kWaitsForDisk}, {"message", "it is full"}}));
    return true;
  }

  void answer(const Operation& operation) {
    if (lacks_disk(operation)) return;
    switch (operation.kind) {
      case OperationKind::kAwaitDisk:
        return put(event_of(operation, Kind::kRunWaitEnded, {{"reason", kWaitsForDisk}}));
      case OperationKind::kAcquireSlot:
        return take_slot();
      case OperationKind::kExecute:
        return execute(operation);
      case OperationKind::kCollectOutputs:
        return collect(operation);
      case OperationKind::kCheckContract:
        return check(operation);
      case OperationKind::kCheckpoint:
        return result(operation, Kind::kCheckpointCreated, {{"skipped", true}});
      case OperationKind::kRunHook:
        return hook(operation);
      case OperationKind::kOpenGate:
        return result(operation, Kind::kGateWaiting,
                      gate_waiting(program_, state_, operation, "Well?").data);
    }
  }

  /// The event that ends an operation: from here on it must not be asked for again.
  void result(const Operation& operation, Kind kind, json::object data) {
    answered_.insert(operation.key());
    put(event_of(operation, kind, std::move(data)));
  }

  void take_slot() {
    Event event;
    event.kind = state_.started_at ? Kind::kRunResumed : Kind::kRunStarted;
    if (state_.started_at) event.data = {{"reason", "ready"}};
    put(std::move(event));
  }

  void execute(const Operation& operation) {
    json::object data = success();
    if (operation.stop == StopReason::kStop && dice_.chance(80)) {
      data = failure("stopped");
    } else if (operation.stop != StopReason::kNone && dice_.chance(80)) {
      data = failure("canceled");
    } else if (dice_.chance(10)) {
      return result(operation, Kind::kStepInterrupted, {{"reason", "machine"}});
    } else if (dice_.chance(30)) {
      static const std::vector<std::string> kClasses{"transient",     "timeout", "rate_limit",
                                                     "deterministic", "stalled", "stopped"};
      const std::string& name = dice_.pick(kClasses);
      data = failure(name);
      if (name == "rate_limit") data["retry_after_ms"] = 60'000;
    }
    data["usage"] = {{"cost_usd", 1.0}, {"tokens_in", 10}};
    put(event_of(operation, Kind::kWorkspaceCreated, {{"path", "w/" + operation.step}}));
    result(operation, Kind::kAgentExited, std::move(data));
  }

  void collect(const Operation& operation) {
    put(event_of(operation, Kind::kArtifactCreated, {{"name", "out"}, {"sha256", "abc"}}));
    json::object data{{"has_tree", true}, {"changed_tree", dice_.chance(50)}};
    if (dice_.chance(10)) data["missing"] = json::array{"out"};
    result(operation, Kind::kOutputsCollected, std::move(data));
  }

  void check(const Operation& operation) {
    json::object data{{"index", operation.index}, {"type", "test_suite"}};
    const bool cut = operation.stop != StopReason::kNone && dice_.chance(80);
    if (!cut && dice_.chance(70)) {
      return result(operation, Kind::kContractPassed, std::move(data));
    }
    data["policy"] = "fail";
    data["message"] = "no";
    data["failure_class"] = cut ? "canceled" : "contract_failure";
    result(operation, Kind::kContractFailed, std::move(data));
  }

  void hook(const Operation& operation) {
    json::object data{{"hook_event", hook_event_name(operation.hook_event)},
                      {"index", operation.index}};
    if (!dice_.chance(20)) return result(operation, Kind::kHookPassed, std::move(data));
    data["message"] = "no";
    data["blocked"] = dice_.chance(50);
    result(operation, Kind::kHookFailed, std::move(data));
  }

  /// Folds the event and what follows from it; now and then everything in memory is lost in
  /// between.
  void put(Event event) {
    if (::testing::Test::HasFailure()) return;
    fold(std::move(event));
    for (int round = 0; round < 1'000 && !::testing::Test::HasFailure(); ++round) {
      if (dice_.chance(3)) crash();
      Decisions decisions = decide(program_, state_);
      operations_ = decisions.operations;
      if (decisions.emit.empty()) return check_operations();
      for (Event& next : decisions.emit) fold(std::move(next));
    }
    if (!::testing::Test::HasFailure()) ADD_FAILURE() << "decide() never comes to rest";
  }

  void fold(Event event) {
    if (::testing::Test::HasFailure()) return;
    now_ += Millis(1 + dice_.below(50));
    event.seq = state_.last_seq + 1;
    event.run_id = "run";
    event.ts = now_;
    if (event.kind == Kind::kTimerSet) {
      event.data["due"] = format_time(now_ + Millis(get_int(event.data, "delay_ms")));
    }
    if (event.kind == Kind::kGateWaiting) {
      event.data["deadline"] = format_time(now_ + Millis(get_int(event.data, "timeout_ms")));
    }
    const Status fields = check_fields(event);
    EXPECT_TRUE(fields) << full_message(fields.error());
    const std::string line = encode(event);
    auto decoded = decode(line);
    ASSERT_TRUE(decoded) << line;
    EXPECT_EQ(encode(*decoded), line);
    const Status applied = apply(program_, state_, *decoded);
    ASSERT_TRUE(applied) << full_message(applied.error());
    log_.push_back(*std::move(decoded));
  }

  /// Another process folds the log from its beginning.
  void crash() {
    RunState again = initial_state(program_, "run");
    for (const Event& event : log_) ASSERT_TRUE(apply(program_, again, event));
    EXPECT_EQ(fingerprint(program_, again), fingerprint(program_, state_));
    state_ = std::move(again);
  }

  void check_operations() {
    std::set<std::string> keys;
    std::set<std::string> steps;
    for (const Operation& operation : operations_) {
      EXPECT_TRUE(keys.insert(operation.key()).second) << "asked twice at once";
      EXPECT_TRUE(steps.insert(operation.step).second) << "two operations of one step";
      EXPECT_FALSE(answered_.contains(operation.key())) << "asked again: " << operation.key();
    }
    int running = 0;  // not counting gates: one that is decided waits for nobody
    int at_work = 0;  // of them, those that lack nothing
    for (size_t i = 0; i < state_.steps.size(); ++i) {
      const bool gate = program_.steps()[i].kind == model::StepKind::kGate;
      if (gate || state_.steps[i].status != StepStatus::kRunning) continue;
      ++running;
      at_work += state_.steps[i].waits_for.empty() ? 1 : 0;
    }
    EXPECT_LE(running, program_.project.manifest.runtime.max_concurrency);
    if (state_.status == RunStatus::kWaiting) EXPECT_EQ(at_work, 0);
  }

  void check_end() {
    EXPECT_TRUE(operations_.empty());
    const Decisions after = decide(program_, state_);
    EXPECT_TRUE(after.emit.empty() && after.operations.empty());
    EXPECT_NE(get_string(log_.back().data, "code"), "internal_error");
    for (size_t i = 0; i < state_.steps.size(); ++i) {
      const StepState& step = state_.steps[i];
      const bool never_begun = step.visit == 0 || program_.steps()[i].rework_only;
      const bool at_rest =
          is_terminal(step.status) || (step.status == StepStatus::kPending && never_begun);
      EXPECT_TRUE(at_rest) << step.id << " is " << to_string(step.status);
      if (step.gate) EXPECT_TRUE(step.gate->resolved);
    }
    check_prefixes();
    check_projection();
  }

  /// A state and what is decided on it depend on the log alone, at every point of it.
  void check_prefixes() {
    RunState one = initial_state(program_, "run");
    for (const Event& event : log_) {
      RunState copy = one;
      ASSERT_TRUE(apply(program_, one, event));
      ASSERT_TRUE(apply(program_, copy, event));
      ASSERT_EQ(fingerprint(program_, one), fingerprint(program_, copy));
    }
    ASSERT_EQ(fingerprint(program_, one), fingerprint(program_, state_));
  }

  /// Rows written piece by piece say the same as rows written at once.
  void check_projection() {
    RunState state = initial_state(program_, "run");
    std::map<std::string, std::string> statuses;
    std::map<std::string, std::string> gates;
    for (const Event& event : log_) {
      const uint64_t since = state.last_seq;
      ASSERT_TRUE(apply(program_, state, event));
      for (const StepRow& row : project(program_, state, since).steps) {
        statuses[row.step] = row.status + row.reason + row.error_message;
      }
      for (const GateRow& row : project(program_, state, since).gates) {
        gates[row.gate_id] = row.outcome;
      }
    }
    for (const StepRow& row : project(program_, state, 0).steps) {
      EXPECT_EQ(statuses[row.step], row.status + row.reason + row.error_message) << row.step;
    }
    for (const auto& [id, outcome] : gates) EXPECT_NE(outcome, "") << id << " waits for ever";
  }

  Dice dice_;
  Program program_;
  RunState state_;
  RunOptions options_;
  WallTime now_{Millis(1'700'000'000'000)};
  std::vector<Event> log_;
  std::vector<Operation> operations_;
  std::set<std::string> answered_;
};

TEST(Property, GeneratedRunsEndAndDependOnTheirLogAlone) {
  const char* one = std::getenv("WAVE_FLOW_SEED");
  const char* many = std::getenv("WAVE_FLOW_SEEDS");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t count = one != nullptr    ? 1
                         : many != nullptr ? std::strtoull(many, nullptr, 10)
                                           : 500;
  std::map<std::string, int> outcomes;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    Trial trial(seed);
    trial.run();
    ASSERT_FALSE(HasFailure()) << "WAVE_FLOW_SEED=" << seed << trial.log();
    outcomes[std::string(to_string(trial.state().status))] += 1;
  }
  if (one != nullptr || count < 500) return;
  // The generator is worth something only while it reaches every kind of end.
  for (const char* status : {"completed", "completed_empty", "failed", "rejected", "cancelled"}) {
    EXPECT_GT(outcomes[status], 0) << status;
  }
}

}  // namespace
}  // namespace wave::flow
