// Cancelling, stopping, running out of money: how a run ends before its steps do.
#include "flow/flow_test_kit.h"

namespace wave::flow {
namespace {

using namespace testing;
using HookEvent = model::Hook::Event;

TEST(Promises, Q5_AQueuedRunIsCancelledAtOnce) {
  Script run(Build().command("a").program());
  run.cancel();
  EXPECT_EQ(run.status(), "cancelled");
  EXPECT_TRUE(run.operations().empty());
  EXPECT_EQ(run.field(Kind::kRunCancelled, "by"), "ann");
  EXPECT_EQ(run.field(Kind::kRunCancelled, "reason"), "enough");
}

TEST(Promises, Q5_ARunningRunIsCancelledWhenItsProcessesAreGoneAndItsCostIsCounted) {
  Script run(Build().command("a").command("b").attempts(2).gate("g").program());
  run.run();
  run.opens("g");
  run.fails("b");
  run.cancel();
  EXPECT_EQ(run.status(), "running");
  EXPECT_EQ(run.status("b"), "cancelled");
  EXPECT_EQ(run.status("g"), "cancelled");
  EXPECT_TRUE(run.state().timers.empty());
  ASSERT_NE(run.asked(OperationKind::kExecute, "a"), nullptr);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "a")->stop, StopReason::kCancel);
  run.cancel(true);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "a")->stop, StopReason::kForceCancel);
  json::object exit = failure("canceled");
  exit["usage"] = {{"tokens_in", 7}, {"cost_usd", 0.5}};
  exit["leaked"] = json::array{json::object{{"pid", 4711}}};
  run.exits("a", exit);
  EXPECT_EQ(run.status("a"), "cancelled");
  EXPECT_EQ(run.status(), "cancelled");
  EXPECT_EQ(run.state().usage.tokens_in, 7);
  const Event* end = run.last(Kind::kRunCancelled);
  EXPECT_EQ(get_int(get_object(end->data, "usage"), "tokens_in"), 7);
  EXPECT_EQ(get_array(end->data, "leaked").size(), 1u);
}

TEST(Promises, Q5_ACancelIsKeptWhenTheLastStepCompletesMeanwhile) {
  Script run(Build().command("a").program());
  run.run();
  run.cancel();
  run.exits("a");
  EXPECT_EQ(run.status("a"), "completed");
  EXPECT_EQ(run.status(), "cancelled");
}

TEST(Promises, Q5_ATerminalRunTakesNoCancel) {
  Script run(Build().command("a").program());
  run.run();
  run.exits("a");
  EXPECT_FALSE(run.try_put(run_cancel_requested("ann", "", true)));
}

TEST(Cancel, NothingNewBeginsAfterwards) {
  Script run(Build().command("a").contract().command("b", {"a"}).program());
  run.run();
  run.cancel();
  run.exits("a");
  EXPECT_EQ(run.asked(OperationKind::kCollectOutputs, "a"), nullptr);
  EXPECT_EQ(run.status("a"), "cancelled");
  EXPECT_EQ(run.status(), "cancelled");
}

// git may be at it for minutes.
TEST(Cancel, CutsTheCollectingOfOutputsShort) {
  Script run(Build().command("a").worktree().program());
  run.run();
  run.exits("a");
  run.cancel();
  ASSERT_NE(run.asked(OperationKind::kCollectOutputs, "a"), nullptr);
  EXPECT_EQ(run.asked(OperationKind::kCollectOutputs, "a")->stop, StopReason::kCancel);
  run.collects("a");
  EXPECT_EQ(run.status("a"), "cancelled");
}

TEST(Cancel, CutsAContractShort) {
  Script run(Build().command("a").contract().program());
  run.run();
  run.exits("a");
  run.collects("a");
  run.cancel();
  EXPECT_EQ(run.asked(OperationKind::kCheckContract, "a")->stop, StopReason::kCancel);
  run.breaks("a", "canceled");
  EXPECT_EQ(run.status("a"), "cancelled");
  EXPECT_EQ(run.status(), "cancelled");
}

TEST(Cancel, AWaitingRunIsCancelledAtOnce) {
  Script run(Build().gate("g").program());
  run.run();
  run.opens("g");
  EXPECT_EQ(run.status(), "waiting");
  run.cancel();
  EXPECT_EQ(run.status(), "cancelled");
  EXPECT_EQ(run.step("g").gate->outcome, "withdrawn");
}

TEST(Cancel, EndsAHookOfTheRunThatIsBeingRun) {
  Script run(Build().command("a").hook(HookEvent::kRunStart).program());
  run.run();
  run.cancel();
  ASSERT_NE(run.asked(OperationKind::kRunHook), nullptr);
  EXPECT_EQ(run.asked(OperationKind::kRunHook)->stop, StopReason::kCancel);
  run.hooked();
  EXPECT_EQ(run.status(), "cancelled");
}

TEST(Cancel, BetweenAFailureAndItsHook) {
  Script run(Build().command("a").command("b").hook(HookEvent::kRunFailed).program());
  run.run();
  run.fails("a");
  run.cancel();
  EXPECT_EQ(run.asked(OperationKind::kExecute, "b")->stop, StopReason::kCancel);
  run.exits("b", failure("canceled"));
  EXPECT_EQ(run.status(), "cancelled");
  EXPECT_EQ(run.count(Kind::kHookPassed), 0u);
}

TEST(Stop, PausesAndGoesOnWithTheSameAttempt) {
  Script run(Build().command("a").command("b", {"a"}).program());
  run.run();
  run.stop();
  EXPECT_EQ(run.asked(OperationKind::kExecute, "a")->stop, StopReason::kStop);
  run.exits("a", failure("stopped"));
  EXPECT_EQ(run.status("a"), "interrupted");
  EXPECT_EQ(run.step("a").interruptions, 0);
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "stopped");
  EXPECT_TRUE(run.operations().empty());
  run.resume();
  EXPECT_EQ(run.field(Kind::kStepStarted, "reason"), "resume");
  EXPECT_EQ(run.last(Kind::kStepStarted)->attempt, 1);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "a")->stop, StopReason::kNone);
  run.exits("a");
  run.exits("b");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Stop, WithTheServerSaysThatItsNextStartGoesOn) {
  Script run(Build().command("a").program());
  run.run();
  run.stop("shutdown");
  run.exits("a", failure("stopped"));
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "shutdown");
  run.resume();
  // What stops it now is somebody's wish.
  run.stop();
  run.exits("a", failure("stopped"));
  EXPECT_EQ(run.state().waiting_reason, "stopped");
}

TEST(Stop, WhatTheAgentDidIsNotDoneAgain) {
  Script run(Build().command("a").contract().contract().program());
  run.run();
  run.exits("a");
  run.collects("a");
  run.passes("a");
  run.stop();
  EXPECT_EQ(run.asked(OperationKind::kCheckContract, "a")->stop, StopReason::kStop);
  const std::string key = run.asked(OperationKind::kCheckContract, "a")->key();
  run.breaks("a", "stopped");
  EXPECT_EQ(run.status("a"), "interrupted");
  EXPECT_EQ(run.status(), "waiting");
  run.resume();
  EXPECT_FALSE(run.runs("a"));
  ASSERT_NE(run.asked(OperationKind::kCheckContract, "a"), nullptr);
  EXPECT_EQ(run.asked(OperationKind::kCheckContract, "a")->index, 1u);
  EXPECT_NE(run.asked(OperationKind::kCheckContract, "a")->key(), key);
  run.passes("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Stop, StartsNothingAndKeepsRetriesAndGates) {
  Script run(Build().command("a").command("r").attempts(2).gate("g").command("b", {"a"}).program());
  run.run();
  run.opens("g");
  run.fails("r");
  run.stop();
  run.exits("a");
  EXPECT_EQ(run.status("a"), "completed");
  EXPECT_EQ(run.status("b"), "ready");
  EXPECT_EQ(run.status("r"), "retrying");
  EXPECT_EQ(run.status("g"), "waiting");
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "stopped");
  run.fires();
  EXPECT_EQ(run.status(), "waiting");  // due, but stopped
  run.resume();
  EXPECT_TRUE(run.runs("b") && run.runs("r"));
}

TEST(Stop, AQueuedRunWaits) {
  Script run(Build().command("a").program());
  run.stop();
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "stopped");
  run.resume();
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Stop, ARunWhoseLastStepEndsMeanwhileCompletes) {
  Script run(Build().command("a").program());
  run.run();
  run.stop();
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Stop, ThenCancel) {
  Script run(Build().command("a").program());
  run.run();
  run.stop();
  run.cancel();
  EXPECT_EQ(run.asked(OperationKind::kExecute, "a")->stop, StopReason::kCancel);
  run.exits("a", failure("stopped"));
  EXPECT_EQ(run.status("a"), "cancelled");
  EXPECT_EQ(run.status(), "cancelled");
}

Build priced() {
  return Build()
      .persona("a")
      .persona("b")
      .persona("c", {"a"})
      .runtime([](model::RuntimeConfig& runtime) {
        runtime.cost.warn_at = 1;
        runtime.cost.budget_ceiling = 2;
      });
}

json::object costing(double usd) {
  json::object data = success();
  data["usage"] = {{"cost_usd", usd}};
  return data;
}

TEST(Promises, S5_TheBudgetWarnsOnceAndStopsTheRunAtItsCeiling) {
  Script run(priced().program());
  run.run();
  run.exits("a", costing(1.5));
  EXPECT_EQ(run.count(Kind::kBudgetWarning), 1u);
  EXPECT_TRUE(run.runs("c"));
  run.exits("b", costing(0.6));
  EXPECT_EQ(run.count(Kind::kBudgetWarning), 1u);
  EXPECT_EQ(run.status("b"), "completed");  // it was paid for
  EXPECT_EQ(run.asked(OperationKind::kExecute, "c")->stop, StopReason::kSiblingFailed);
  run.exits("c", failure("canceled"));
  EXPECT_EQ(run.status("c"), "cancelled");
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "failure_class"), "budget_exhausted");
  EXPECT_EQ(run.field(Kind::kRunFailed, "code"), code_name(Code::kLimit));
}

TEST(Budget, NothingIsTriedAgainAboveTheCeiling) {
  Script run(Build()
                 .persona("a")
                 .attempts(3)
                 .gate("g")
                 .runtime([](model::RuntimeConfig& runtime) { runtime.cost.budget_ceiling = 2; })
                 .program());
  run.run();
  run.opens("g");
  json::object exit = failure();
  exit["usage"] = {{"cost_usd", 3}};
  run.exits("a", exit);
  EXPECT_EQ(run.count(Kind::kStepRetrying), 0u);
  EXPECT_EQ(run.status(), "failed");
}

TEST(Budget, StepsThatAGateSentBackAreCancelled) {
  Script run(Build()
                 .persona("a")
                 .command("b", {"a"})
                 .gate("g", {"b"}, {{.label = "Again", .key = "r", .target = "a"}})
                 .runtime([](model::RuntimeConfig& runtime) { runtime.cost.budget_ceiling = 2; })
                 .program());
  run.run();
  run.exits("a", costing(1));
  run.exits("b");
  run.opens("g");
  run.decides("g", "r");
  run.run();
  run.exits("a", costing(1));
  EXPECT_EQ(run.status("b"), "cancelled");
  EXPECT_EQ(run.status("g"), "cancelled");
  EXPECT_EQ(run.status(), "failed");
}

TEST(Budget, ARunThatHasNothingLeftToDoCompletes) {
  Script run(Build()
                 .persona("a")
                 .runtime([](model::RuntimeConfig& runtime) { runtime.cost.budget_ceiling = 2; })
                 .program());
  run.run();
  run.exits("a", costing(3));
  EXPECT_EQ(run.status(), "completed");
}

TEST(Promises, Q8_OneTableOfLegalTransitions) {
  for (int from = 0; from < 8; ++from) {
    for (int to = 0; to < 8; ++to) {
      const auto a = static_cast<RunStatus>(from);
      const auto b = static_cast<RunStatus>(to);
      if (is_terminal(a)) EXPECT_FALSE(is_legal(a, b)) << to_string(a) << " " << to_string(b);
      if (a == b) EXPECT_FALSE(is_legal(a, b));
    }
  }
  EXPECT_TRUE(is_legal(RunStatus::kQueued, RunStatus::kRunning));
  EXPECT_FALSE(is_legal(RunStatus::kQueued, RunStatus::kCompleted));
  EXPECT_FALSE(is_legal(RunStatus::kWaiting, RunStatus::kCompleted));
}

TEST(Promises, Q8_NoLateWriterChangesATerminalRun) {
  Script run(Build().command("a").program());
  run.run();
  run.cancel();
  run.exits("a", failure("canceled"));
  ASSERT_EQ(run.status(), "cancelled");
  for (const KindInfo& kind : all_kinds()) {
    Event late;
    late.kind = kind.kind;
    late.step = kind.of_step ? "a" : "";
    late.visit = late.attempt = 1;
    for (const FieldInfo& field : kind.fields) {
      if (!field.required) continue;
      late.data[field.name] = field.type == FieldType::kInteger   ? json::value(0)
                              : field.type == FieldType::kBoolean ? json::value(true)
                              : field.type == FieldType::kNumber  ? json::value(1.0)
                              : field.type == FieldType::kObject  ? json::value(json::object())
                              : field.type == FieldType::kArray   ? json::value(json::array())
                              : field.type == FieldType::kTime
                                  ? json::value("2026-01-01T00:00:00.000Z")
                                  : json::value("x");
    }
    const Status status = run.try_put(late);
    ASSERT_FALSE(status) << kind.name;
    EXPECT_EQ(status.error().code, Code::kInternal);
  }
}

TEST(Fold, RefusesHolesBackwardClocksStrangersAndLeavesTheStateAlone) {
  Script run(Build().command("a").attempts(2).program());
  run.run();
  const auto refused = [&](const std::function<void(Event&)>& change) {
    Event event;
    event.seq = run.state().last_seq + 1;
    event.run_id = "test-run";
    event.ts = run.now();
    event.kind = Kind::kAgentExited;
    event.step = "a";
    event.visit = event.attempt = 1;
    event.data = success();
    change(event);
    RunState state = run.state();
    const Status status = apply(run.program(), state, event);
    EXPECT_EQ(state.last_seq, run.state().last_seq);
    EXPECT_EQ(state.find("a")->agent_exited, false);
    return !status && status.error().code == Code::kInternal;
  };
  EXPECT_TRUE(refused([](Event& event) { event.seq += 1; }));
  EXPECT_TRUE(refused([](Event& event) { event.seq -= 1; }));
  EXPECT_TRUE(refused([](Event& event) { event.run_id = "another"; }));
  EXPECT_TRUE(refused([](Event& event) { event.ts -= std::chrono::hours(1); }));
  EXPECT_TRUE(refused([](Event& event) { event.step = "nobody"; }));
  EXPECT_TRUE(refused([](Event& event) { event.step.clear(); }));
  EXPECT_TRUE(refused([](Event& event) { event.attempt = 2; }));
  EXPECT_TRUE(refused([](Event& event) { event.visit = 2; }));
  EXPECT_TRUE(refused([](Event& event) { event.data.erase("succeeded"); }));
  EXPECT_TRUE(refused([](Event& event) { event.data["succeeded"] = "yes"; }));
  EXPECT_TRUE(refused([](Event& event) { event.kind = Kind::kRunForked; }));
  EXPECT_TRUE(refused([](Event& event) {
    event.kind = Kind::kCheckpointCreated;
    event.step = "b";
  }));
}

TEST(Fold, OneOperationHasOneResult) {
  Script run(Build().command("a").contract().program());
  run.run();
  run.exits("a");
  Event again = *run.last(Kind::kAgentExited);
  EXPECT_FALSE(run.try_put(again));
  run.collects("a");
  again = *run.last(Kind::kOutputsCollected);
  EXPECT_FALSE(run.try_put(again));
}

TEST(Fold, ActivityMovesOnlyTheSequence) {
  Script run(Build().command("a").program());
  run.run();
  const uint64_t changed = run.step("a").changed_seq;
  Event activity;
  activity.kind = Kind::kStreamActivity;
  activity.step = "a";
  activity.visit = activity.attempt = 1;
  activity.data = {{"kind", "text"}, {"content", "hello"}};
  const uint64_t before = run.state().last_seq;
  run.put(activity);
  EXPECT_EQ(run.state().last_seq, before + 1);
  EXPECT_EQ(run.step("a").changed_seq, changed);
}

}  // namespace
}  // namespace wave::flow
