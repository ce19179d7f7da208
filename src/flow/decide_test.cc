// The rules of scheduling, of an attempt's phases, and of failing.
#include "flow/decide.h"

#include "flow/flow_test_kit.h"

namespace wave::flow {
namespace {

using namespace testing;
using HookEvent = model::Hook::Event;
using model::OnFailure;

TEST(Decide, AsksForASlotBeforeAnythingElse) {
  Script run(Build().command("a").program());
  EXPECT_EQ(run.status(), "queued");
  ASSERT_EQ(run.operations().size(), 1u);
  EXPECT_EQ(run.operations()[0].kind, OperationKind::kAcquireSlot);
  run.run();
  EXPECT_EQ(run.status(), "running");
  EXPECT_TRUE(run.runs("a"));
  EXPECT_EQ(run.field(Kind::kStepStarted, "reason"), "first");
  EXPECT_EQ(run.field(Kind::kStepStarted, "kind"), "command");
}

TEST(Decide, GoesFromOnePlainCommandToTheNextWithoutAnotherOperation) {
  Script run(Build().command("a").command("b", {"a"}).program());
  run.run();
  const size_t before = run.events().size();
  run.exits("a");
  ASSERT_EQ(run.events().size(), before + 3) << run.log();
  EXPECT_EQ(run.events()[before].kind, Kind::kAgentExited);
  EXPECT_EQ(run.events()[before + 1].kind, Kind::kStepCompleted);
  EXPECT_EQ(run.events()[before + 2].kind, Kind::kStepStarted);
  run.exits("b");
  EXPECT_EQ(run.status(), "completed");
  EXPECT_TRUE(run.operations().empty());
}

TEST(Decide, StartsReadyStepsInOrderUpToTheLimit) {
  Script run(Build()
                 .command("a")
                 .command("b")
                 .command("c")
                 .runtime([](model::RuntimeConfig& runtime) { runtime.max_concurrency = 2; })
                 .program());
  run.run();
  EXPECT_TRUE(run.runs("a") && run.runs("b"));
  EXPECT_EQ(run.status("c"), "ready");
  run.exits("b");
  EXPECT_TRUE(run.runs("c"));
}

TEST(Decide, AStepThatBecomesReadyDoesNotWaitForASlowSibling) {
  Script run(Build().command("slow").command("a").command("b", {"a"}).program());
  run.run();
  run.exits("a");
  EXPECT_TRUE(run.runs("slow") && run.runs("b"));
}

TEST(Decide, GoesThroughThePhasesOfAnAttemptInOrder) {
  Script run(Build()
                 .persona("a")
                 .worktree()
                 .output("plan")
                 .contract()
                 .contract()
                 .hook(HookEvent::kStepStart)
                 .hook(HookEvent::kArtifactCreated)
                 .hook(HookEvent::kContractValidated)
                 .hook(HookEvent::kStepCompleted)
                 .program());
  run.run();
  run.hooked("a");
  run.exits("a");
  ASSERT_NE(run.asked(OperationKind::kCollectOutputs, "a"), nullptr);
  Event artifact;
  artifact.kind = Kind::kArtifactCreated;
  artifact.step = "a";
  artifact.visit = artifact.attempt = 1;
  artifact.data = {{"name", "plan"}, {"type", "json"}, {"sha256", "abc"}, {"size", 3}};
  run.put(artifact);
  run.collects("a", {{"has_tree", true}, {"changed_tree", true}});
  run.hooked("a");  // artifact_created
  run.passes("a");
  run.passes("a");
  run.hooked("a");  // contract_validated
  run.keeps("a");
  run.hooked("a");  // step_completed
  EXPECT_EQ(run.status(), "completed");
  EXPECT_EQ(run.step("a").artifacts.size(), 1u);
  EXPECT_EQ(run.step("a").checkpoint_commit, "c0ffee");
}

TEST(Decide, AWorktreeWithoutAChangeIsEmpty) {
  Script run(Build().persona("a").worktree().program());
  run.run();
  run.exits("a");
  run.collects("a", {{"has_tree", true}, {"changed_tree", false}});
  run.keeps("a");
  EXPECT_EQ(run.status("a"), "completed_empty");
  EXPECT_EQ(run.status(), "completed_empty");
}

TEST(Decide, ARunWithAChangeIsNotEmpty) {
  Script run(Build().persona("a").worktree().persona("b").worktree().program());
  run.run();
  run.exits("a");
  run.collects("a", {{"has_tree", true}, {"changed_tree", false}});
  run.keeps("a");
  run.exits("b");
  run.collects("b", {{"has_tree", true}, {"changed_tree", true}});
  run.keeps("b");
  EXPECT_EQ(run.status("a"), "completed_empty");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, FilteredStepsSatisfyTheirDependents) {
  RunOptions options;
  options.exclude = {"a"};
  Script run(Build().command("a").command("b", {"a"}).program(), options);
  run.run();
  EXPECT_EQ(run.field(Kind::kStepSkipped, "reason", "a"), "filtered");
  run.exits("b");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, OnlySelectedStepsRun) {
  RunOptions options;
  options.steps = {"b"};
  Script run(Build().command("a").command("b", {"a"}).command("c", {"b"}).program(), options);
  run.run();
  run.exits("b");
  EXPECT_EQ(run.status(), "completed");
  EXPECT_EQ(run.status("c"), "skipped");
}

TEST(Decide, ReworkOnlyStepsAreNotScheduled) {
  Script run(Build().command("a").command("fix").rework_only().program());
  run.run();
  EXPECT_FALSE(run.runs("fix"));
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
  EXPECT_EQ(run.status("fix"), "pending");
}

// --- failing and trying again ---

TEST(Promises, S5_RetryMeansTheSameForPersonaAndCommand) {
  for (const auto kind : {model::StepKind::kPersona, model::StepKind::kCommand}) {
    Script run(Build().add("a", kind, {}).attempts(2).program());
    run.run();
    run.fails("a");
    EXPECT_EQ(run.status("a"), "retrying");
    EXPECT_EQ(run.status(), "running");  // a short wait keeps the slot
    EXPECT_EQ(run.field(Kind::kStepRetrying, "next_attempt"), "2");
    EXPECT_EQ(run.field(Kind::kTimerSet, "purpose"), "retry");
    run.fires();
    EXPECT_EQ(run.field(Kind::kStepStarted, "reason"), "retry");
    EXPECT_EQ(run.last(Kind::kStepStarted)->attempt, 2);
    run.fails("a");
    EXPECT_EQ(run.status(), "failed");
    EXPECT_EQ(run.last(Kind::kRunFailed)->step, "a");
    EXPECT_EQ(run.field(Kind::kRunFailed, "message"), "it broke");
  }
}

TEST(Promises, S5_OnFailureMeansTheSameForEveryKindOfStep) {
  for (const auto kind :
       {model::StepKind::kPersona, model::StepKind::kCommand, model::StepKind::kGate}) {
    const auto build = [&](OnFailure policy) {
      return Build().add("a", kind, {}).on_failure(policy).command("b", {"a"}).command("c");
    };
    const auto fail = [&](Script& run) {
      run.run();
      if (kind == model::StepKind::kGate) {
        run.opens("a");
        run.exits("c");
        run.fires();  // the deadline; the run waits, and has to come back for a slot
        run.run();
      } else {
        run.fails("a");
      }
    };
    Script fails(build(OnFailure::kFail).program());
    fail(fails);
    if (kind != model::StepKind::kGate) fails.exits("c", failure("canceled"));
    EXPECT_EQ(fails.status(), "failed") << fails.log();

    Script skips(build(OnFailure::kSkip).program());
    fail(skips);
    if (kind != model::StepKind::kGate) skips.exits("c");
    EXPECT_EQ(skips.status(), "completed") << skips.log();
    EXPECT_EQ(skips.field(Kind::kStepSkipped, "reason", "a"), "failed");
    EXPECT_EQ(skips.field(Kind::kStepSkipped, "reason", "b"), "dependency");

    Script goes_on(build(OnFailure::kContinue).program());
    fail(goes_on);
    if (kind != model::StepKind::kGate) goes_on.exits("c");
    EXPECT_EQ(goes_on.field(Kind::kStepFailed, "tolerated", "a"), "true");
    EXPECT_EQ(goes_on.status("b"), "skipped");
    EXPECT_EQ(goes_on.status(), "failed");
    EXPECT_EQ(goes_on.last(Kind::kRunFailed)->step, "a");
  }
}

TEST(Decide, AnOptionalStepThatFailsDoesNotFailTheRun) {
  Script run(Build().command("a").optional().command("b", {"a"}).command("c").program());
  run.run();
  run.fails("a");
  EXPECT_EQ(run.status("a"), "failed");
  EXPECT_EQ(run.status("b"), "skipped");
  run.exits("c");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, SkippingReachesAllDependents) {
  Script run(Build()
                 .command("d", {"c"})
                 .command("c", {"b"})
                 .command("b", {"a"})
                 .command("a")
                 .on_failure(OnFailure::kSkip)
                 .program());
  run.run();
  run.fails("a");
  EXPECT_EQ(run.status("b"), "skipped");
  EXPECT_EQ(run.status("c"), "skipped");
  EXPECT_EQ(run.status("d"), "skipped");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, DeterministicFailuresAreNotRetried) {
  for (const auto* name : {"deterministic", "context_exhausted", "stalled", "output_limit"}) {
    Script run(Build().command("a").attempts(5).program());
    run.run();
    run.fails("a", name);
    EXPECT_EQ(run.status(), "failed") << name;
    EXPECT_EQ(run.count(Kind::kStepRetrying), 0u);
  }
}

TEST(Decide, TheWaitIsAtLeastWhatTheServiceAskedFor) {
  Script run(Build().persona("a").attempts(2, Millis(1000)).program());
  run.run();
  json::object limited = failure("rate_limit");
  limited["retry_after_ms"] = 90'000;
  run.exits("a", limited);
  EXPECT_EQ(run.field(Kind::kTimerSet, "purpose"), "rate_limit");
  EXPECT_EQ(run.field(Kind::kTimerSet, "delay_ms"), "90000");
  EXPECT_EQ(run.status(), "waiting");  // longer than it is worth keeping a slot for
  EXPECT_EQ(run.state().waiting_reason, "rate_limit");
  run.fires();
  EXPECT_EQ(run.status(), "queued");
  EXPECT_TRUE(run.state().resuming);
  run.run();
  EXPECT_EQ(run.field(Kind::kRunResumed, "reason"), "ready");
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, TheCircuitBreakerStopsRetriesOfTheSameFailure) {
  Script run(Build().command("a").attempts(10).contract().program());
  run.run();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    run.exits("a");
    run.collects("a");
    run.breaks("a");
    if (attempt < 3) run.fires();
  }
  EXPECT_EQ(run.status(), "failed") << run.log();
  EXPECT_EQ(run.count(Kind::kStepRetrying), 2u);
}

TEST(Decide, TheCircuitBreakerDoesNotCountUntrackedClasses) {
  Script run(Build().command("a").attempts(5).program());
  run.run();
  for (int attempt = 1; attempt < 5; ++attempt) {
    run.fails("a");
    run.fires();
  }
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, MissingOutputFailsTheAttempt) {
  Script run(Build().command("a").output("plan").attempts(2).program());
  run.run();
  run.exits("a");
  run.collects("a", {{"missing", json::array{"plan"}}});
  EXPECT_EQ(run.status("a"), "retrying");
  EXPECT_EQ(run.field(Kind::kStepRetrying, "failure_class"), "missing_output");
}

TEST(Decide, AFailureEndsTheRunAndStopsSiblings) {
  Script run(Build()
                 .command("a")
                 .command("b")
                 .command("r")
                 .attempts(2)
                 .gate("g")
                 .command("later", {"b"})
                 .program());
  run.run();
  run.opens("g");
  run.fails("r");
  run.fails("a");
  EXPECT_EQ(run.status(), "running");
  EXPECT_EQ(run.status("r"), "cancelled");
  EXPECT_EQ(run.status("g"), "cancelled");
  EXPECT_EQ(run.step("g").gate->outcome, "withdrawn");
  ASSERT_NE(run.asked(OperationKind::kExecute, "b"), nullptr);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "b")->stop, StopReason::kSiblingFailed);
  run.exits("b", failure("canceled"));
  EXPECT_EQ(run.status("b"), "cancelled");
  EXPECT_EQ(run.field(Kind::kStepCancelled, "reason", "b"), "sibling_failed");
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.status("later"), "pending");
}

// --- contracts ---

TEST(Decide, ContractPolicies) {
  const auto checked = [](OnFailure policy) {
    Script run(Build().command("a").contract(policy).contract().program());
    run.run();
    run.exits("a");
    run.collects("a");
    run.breaks("a");
    return run;
  };
  EXPECT_EQ(checked(OnFailure::kFail).status(), "failed");
  EXPECT_EQ(checked(OnFailure::kRejected).status(), "rejected");
  EXPECT_EQ(checked(OnFailure::kRejected).status("a"), "rejected");
  EXPECT_EQ(checked(OnFailure::kSkip).status(), "completed");
  for (const OnFailure goes_on : {OnFailure::kContinue, OnFailure::kWarn}) {
    Script run = checked(goes_on);
    EXPECT_EQ(run.status(), "running");
    ASSERT_NE(run.asked(OperationKind::kCheckContract, "a"), nullptr);
    EXPECT_EQ(run.asked(OperationKind::kCheckContract, "a")->index, 1u);
    run.passes("a");
    EXPECT_EQ(run.status(), "completed");
  }
}

TEST(Decide, ARejectionIsNotRetriedAndStopsSiblings) {
  Script run(
      Build().command("a").attempts(3).contract(OnFailure::kRejected).command("b").program());
  run.run();
  run.exits("a");
  run.collects("a");
  run.breaks("a");
  EXPECT_EQ(run.asked(OperationKind::kExecute, "b")->stop, StopReason::kSiblingFailed);
  run.exits("b", failure("canceled"));
  EXPECT_EQ(run.status(), "rejected");
  EXPECT_EQ(run.last(Kind::kRunRejected)->step, "a");
}

TEST(Decide, TheNextAttemptAfterAContractStartsOverAndKnowsWhy) {
  Script run(Build().command("a").attempts(2).contract().program());
  run.run();
  run.exits("a");
  run.collects("a");
  run.breaks("a");
  EXPECT_EQ(run.status("a"), "retrying");
  run.fires();
  EXPECT_TRUE(run.runs("a"));
  EXPECT_EQ(run.step("a").failure.contract_errors, (std::vector<std::string>{"a", "b"}));
  run.exits("a");
  run.collects("a");
  run.passes("a");
  EXPECT_EQ(run.status(), "completed");
}

// --- rework ---

TEST(Decide, ContractReworkChecksAgainFromTheFirstContract) {
  Script run(Build()
                 .command("a")
                 .contract()
                 .contract(OnFailure::kRework, "fix", 2)
                 .command("fix")
                 .rework_only()
                 .output("patch")
                 .program());
  run.run();
  run.exits("a");
  run.collects("a");
  run.passes("a");
  run.breaks("a");
  EXPECT_EQ(run.status("a"), "reworking");
  EXPECT_EQ(run.field(Kind::kStepStarted, "reason", "fix"), "rework");
  EXPECT_EQ(run.field(Kind::kStepStarted, "rework_for", "fix"), "a");
  run.exits("fix");
  Event artifact;
  artifact.kind = Kind::kArtifactCreated;
  artifact.step = "fix";
  artifact.visit = artifact.attempt = 1;
  artifact.data = {{"name", "patch"}, {"sha256", "abc"}};
  run.put(artifact);
  run.collects("fix");
  EXPECT_EQ(run.status("a"), "running");
  ASSERT_NE(run.asked(OperationKind::kCheckContract, "a"), nullptr) << run.log();
  EXPECT_EQ(run.asked(OperationKind::kCheckContract, "a")->index, 0u);
  EXPECT_EQ(run.asked(OperationKind::kCheckContract, "a")->round, 1);
  run.passes("a");
  run.passes("a");
  EXPECT_EQ(run.status(), "completed");
  EXPECT_EQ(run.field(Kind::kStepCompleted, "reworked_by", "a"), "fix");
  ASSERT_EQ(run.step("a").artifacts.size(), 1u);
  EXPECT_EQ(run.step("a").artifacts[0].step, "a");
}

TEST(Decide, ContractReworkIsBoundedByItsRounds) {
  Script run(Build()
                 .command("a")
                 .contract(OnFailure::kRework, "fix", 2)
                 .command("fix")
                 .rework_only()
                 .program());
  run.run();
  run.exits("a");
  run.collects("a");
  run.breaks("a");
  run.exits("fix");
  run.breaks("a");
  EXPECT_EQ(run.step("fix").visit, 2);
  run.exits("fix");
  run.breaks("a");
  EXPECT_EQ(run.status("a"), "failed");
  EXPECT_EQ(run.field(Kind::kStepFailed, "failure_class", "a"), "contract_failure");
  EXPECT_EQ(run.status(), "failed");
}

TEST(Decide, OnFailureReworkRepairsAStepWhoseAttemptsAreUsedUp) {
  Script run(Build()
                 .command("a")
                 .attempts(2)
                 .on_failure(OnFailure::kRework, "fix")
                 .command("b", {"a"})
                 .command("fix")
                 .rework_only()
                 .attempts(2)
                 .program());
  run.run();
  run.fails("a");
  run.fires();
  run.fails("a");
  EXPECT_EQ(run.status("a"), "reworking");
  run.fails("fix");  // it has its own attempts
  EXPECT_EQ(run.status("fix"), "retrying");
  run.fires();
  run.exits("fix");
  EXPECT_EQ(run.status("a"), "completed");
  run.exits("b");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, AReworkThatFailsFailsTheStepForGood) {
  Script run(Build()
                 .command("a")
                 .on_failure(OnFailure::kRework, "fix")
                 .command("fix")
                 .rework_only()
                 .program());
  run.run();
  run.fails("a", "transient", "the first reason");
  run.fails("fix", "transient", "the second reason");
  EXPECT_EQ(run.status("fix"), "failed");
  EXPECT_EQ(run.field(Kind::kStepFailed, "tolerated", "fix"), "true");
  EXPECT_EQ(run.status("a"), "failed");
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "message"), "the first reason");
}

TEST(Decide, TwoStepsShareOneRepairer) {
  Script run(Build()
                 .command("a")
                 .on_failure(OnFailure::kRework, "fix")
                 .command("b")
                 .on_failure(OnFailure::kRework, "fix")
                 .command("fix")
                 .rework_only()
                 .program());
  run.run();
  run.fails("a");
  run.fails("b");
  EXPECT_EQ(run.step("fix").rework_for, "a");
  run.exits("fix");
  EXPECT_EQ(run.status("a"), "completed");
  EXPECT_EQ(run.step("fix").rework_for, "b");
  run.exits("fix");
  EXPECT_EQ(run.status(), "completed");
}

// --- hooks ---

TEST(Decide, RunHooksFrameTheRun) {
  Script run(Build()
                 .command("a")
                 .hook(HookEvent::kRunStart)
                 .hook(HookEvent::kRunStart)
                 .hook(HookEvent::kRunCompleted)
                 .program());
  run.run();
  EXPECT_EQ(run.operations().size(), 1u);
  run.hooked();
  EXPECT_FALSE(run.runs("a"));
  run.hooked();
  run.exits("a");
  EXPECT_EQ(run.status(), "running");
  run.hooked();
  EXPECT_EQ(run.status(), "completed");
}

TEST(Decide, ABlockingRunStartHookFailsTheRun) {
  Script run(
      Build().command("a").hook(HookEvent::kRunStart, true).hook(HookEvent::kRunFailed).program());
  run.run();
  run.hooked("", true);
  run.hooked();  // run_failed
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "failure_class"), "hook");
  EXPECT_EQ(run.count(Kind::kStepStarted), 0u);
}

TEST(Promises, S5_BlockingStepHooksFailEveryKindOfStep) {
  for (const HookEvent event : {HookEvent::kStepStart, HookEvent::kStepCompleted}) {
    for (const auto kind :
         {model::StepKind::kPersona, model::StepKind::kCommand, model::StepKind::kGate}) {
      Build build;
      build.add("a", kind, {}).attempts(3).hook(event, true);
      if (kind == model::StepKind::kGate) build.last().gate->automatic = true;
      Script run(build.program());
      run.run();
      if (event == HookEvent::kStepCompleted) {
        kind == model::StepKind::kGate ? run.opens("a") : run.exits("a");
      }
      run.hooked("a", true);
      EXPECT_EQ(run.field(Kind::kStepFailed, "failure_class"), "hook") << run.log();
      EXPECT_EQ(run.status(), "failed");
    }
  }
}

TEST(Decide, HooksThatTellOfAnEndCannotChangeIt) {
  Script run(Build()
                 .command("a")
                 .attempts(2)
                 .hook(HookEvent::kStepRetrying, true)
                 .hook(HookEvent::kStepFailed, true)
                 .program());
  run.run();
  run.fails("a");
  run.hooked("a", true);
  EXPECT_EQ(run.status("a"), "retrying");
  run.fires();
  run.fails("a");
  run.hooked("a", true);
  EXPECT_EQ(run.field(Kind::kStepFailed, "message"), "it broke");
}

// --- interruptions ---

TEST(Promises, S2_AnInterruptedStepRunsAgainCountedApartFromAttempts) {
  Script run(Build().command("a").attempts(2).program());
  run.run();
  run.interrupts("a");
  EXPECT_EQ(run.field(Kind::kStepStarted, "reason"), "interrupted");
  EXPECT_EQ(run.last(Kind::kStepStarted)->attempt, 1);
  EXPECT_EQ(run.step("a").interruptions, 1);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "a")->restart, 1);
  run.fails("a");
  run.fires();
  EXPECT_EQ(run.step("a").attempt, 2);
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Promises, S2_AfterThreeInterruptionsItFailsAsInterruptedRepeatedly) {
  Script run(Build().command("a").attempts(5).program());
  run.run();
  run.interrupts("a");
  run.interrupts("a", "host_lost");
  run.interrupts("a", "owner_lost");
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kStepFailed, "failure_class"), "interrupted_repeatedly");
  EXPECT_EQ(run.count(Kind::kStepRetrying), 0u);
}

TEST(Promises, S2_OnInterruptFailAndGate) {
  Script fails(
      Build()
          .command("a")
          .with([](model::Step& step) { step.on_interrupt = model::Step::OnInterrupt::kFail; })
          .program());
  fails.run();
  fails.interrupts("a");
  EXPECT_EQ(fails.status(), "failed");

  Script asks(
      Build()
          .command("a")
          .with([](model::Step& step) { step.on_interrupt = model::Step::OnInterrupt::kGate; })
          .program());
  asks.run();
  asks.interrupts("a");
  asks.opens("a");
  EXPECT_EQ(asks.status("a"), "waiting");
  EXPECT_EQ(asks.step("a").gate->gate_id, "a.1!1");
  asks.decides("a", "rerun");
  asks.run();
  EXPECT_TRUE(asks.runs("a"));
  asks.interrupts("a");
  asks.opens("a");
  EXPECT_EQ(asks.step("a").gate->gate_id, "a.1!2");
  asks.decides("a", "fail");
  asks.run();
  EXPECT_EQ(asks.status(), "failed");
}

// --- never stuck ---

TEST(Decide, AStateThatCannotGoOnFailsTheRunAndSaysWhy) {
  Build build;
  build.command("a", {"b"}).command("b", {"a"});  // a cycle, that the model would have refused
  Script run(build.program());
  run.run();
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "code"), "internal_error");
  EXPECT_NE(run.field(Kind::kRunFailed, "message").find("a (pending), b (pending)"),
            std::string::npos);
}

TEST(Decide, RetryDelays) {
  model::Retry retry;
  retry.base_delay = Millis(1000);
  retry.max_delay = Millis(30'000);
  retry.backoff = model::Backoff::kFixed;
  EXPECT_EQ(retry_delay(retry, 5), Millis(1000));
  retry.backoff = model::Backoff::kLinear;
  EXPECT_EQ(retry_delay(retry, 2), Millis(1000));
  EXPECT_EQ(retry_delay(retry, 4), Millis(3000));
  EXPECT_EQ(retry_delay(retry, 1'000'000'000), Millis(30'000));
  retry.backoff = model::Backoff::kExponential;
  EXPECT_EQ(retry_delay(retry, 2), Millis(1000));
  EXPECT_EQ(retry_delay(retry, 5), Millis(8000));
  EXPECT_EQ(retry_delay(retry, 60), Millis(30'000));
  EXPECT_EQ(retry_delay(retry, 1'000'000'000), Millis(30'000));
}

}  // namespace
}  // namespace wave::flow
