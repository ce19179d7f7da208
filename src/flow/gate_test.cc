// Gates: deadlines, decisions, jumps.
#include "flow/flow_test_kit.h"

namespace wave::flow {
namespace {

using namespace testing;

std::vector<model::GateChoice> choices(const std::string& back, const std::string& forward = "") {
  return {{.label = "Approve", .key = "a", .target = forward},
          {.label = "Revise", .key = "r", .target = back},
          {.label = "Abort", .key = "x", .target = "_fail"}};
}

/// plan -> review (gate; "r" goes back to plan) -> ship
Build reviewed() {
  return Build()
      .command("plan")
      .contract()
      .gate("review", {"plan"}, choices("plan"))
      .command("ship", {"review"});
}

void do_plan(Script& run) {
  run.exits("plan");
  run.collects("plan");
  run.passes("plan");
}

TEST(Gate, ARunThatOnlyWaitsHoldsNoSlot) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "gate");
  EXPECT_TRUE(run.operations().empty());
  run.decides("review", "a");
  EXPECT_EQ(run.status(), "queued");
  EXPECT_TRUE(run.state().resuming);
  run.run();
  run.exits("ship");
  EXPECT_EQ(run.status(), "completed");
  EXPECT_EQ(run.field(Kind::kStepCompleted, "choice", "review"), "a");
}

TEST(Gate, ARunWithARunningStepDoesNotWait) {
  Script run(Build().gate("g").command("a").program());
  run.run();
  run.opens("g");
  EXPECT_EQ(run.status(), "running");
  run.exits("a");
  EXPECT_EQ(run.status(), "waiting");
}

TEST(Promises, G1_AGateIsARecordWithEverythingThatIsAsked) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  const GateState& gate = *run.step("review").gate;
  EXPECT_EQ(gate.gate_id, "review.1");
  EXPECT_EQ(gate.prompt, "Go on?");
  ASSERT_EQ(gate.choices.size(), 3u);
  EXPECT_EQ(gate.choices[1].target, "plan");
  EXPECT_EQ(gate.timeout, std::chrono::hours(24));
  ASSERT_TRUE(gate.deadline);
  const Projection rows = project(run.program(), run.state(), 0);
  ASSERT_EQ(rows.gates.size(), 1u);
  EXPECT_FALSE(rows.gates[0].resolved);
  EXPECT_EQ(rows.gates[0].deadline, gate.deadline);
}

TEST(Gate, WhoMayAnswerIsPartOfTheRecord) {
  const auto guarded = [](model::Step& step) {
    step.gate->approvers = {"ada", "role:admin"};
    step.gate->forbid_self_approval = true;
  };
  Script run(Build().gate("guarded").with(guarded).gate("open").program());
  run.run();
  run.opens("guarded");
  run.opens("open");
  const std::vector<std::string> named{"ada", "role:admin"};
  EXPECT_EQ(run.step("guarded").gate->approvers, named);
  const Projection rows = project(run.program(), run.state(), 0);
  ASSERT_EQ(rows.gates.size(), 2u);
  EXPECT_EQ(rows.gates[0].approvers, named);
  EXPECT_TRUE(rows.gates[0].forbid_self_approval);
  EXPECT_TRUE(rows.gates[1].approvers.empty());
  EXPECT_FALSE(rows.gates[1].forbid_self_approval);
}

TEST(Promises, G3_TheFirstDecisionStands) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  const GateState gate = *run.step("review").gate;
  run.decides("review", "a");
  const Event second = gate_resolved(gate, "review", 1, "decided", "x", "", "bob", "api");
  EXPECT_FALSE(run.try_put(second));
  EXPECT_EQ(run.step("review").gate->choice, "a");
}

TEST(Promises, G3_ADecisionForAnEarlierVisitDecidesNothing) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  const GateState first = *run.step("review").gate;
  run.decides("review", "r");
  run.run();
  do_plan(run);
  run.opens("review");
  EXPECT_EQ(run.step("review").gate->gate_id, "review.2");
  EXPECT_FALSE(run.try_put(gate_resolved(first, "review", 1, "decided", "a", "", "bob", "api")));
  EXPECT_FALSE(run.try_put(gate_resolved(first, "review", 2, "decided", "a", "", "bob", "api")));
}

TEST(Promises, G4_ADecisionSaysWhoWhenHowWhichAndWhat) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.decides("review", "r");
  const GateState& gate = *run.step("review").gate;
  EXPECT_EQ(gate.by, "ann");
  EXPECT_EQ(gate.via, "cli");
  EXPECT_EQ(gate.choice, "r");
  EXPECT_EQ(gate.label, "Revise");
  EXPECT_EQ(gate.text, "because");
  EXPECT_TRUE(gate.decided_at);
  EXPECT_EQ(run.last(Kind::kGateResolved)->actor, "ann");
}

TEST(Promises, G5_ADeadlineMakesTheDefaultChoice) {
  Build build = reviewed();
  build.project().pipeline.steps[1].gate->default_choice = "a";
  Script run(build.program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.fires();
  EXPECT_EQ(run.field(Kind::kGateResolved, "outcome"), "default");
  EXPECT_EQ(run.field(Kind::kGateResolved, "choice"), "a");
  run.run();
  EXPECT_TRUE(run.runs("ship"));
}

TEST(Promises, G5_ADeadlineWithoutADefaultIsAGateTimeout) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.fires();
  EXPECT_EQ(run.field(Kind::kGateResolved, "outcome"), "timeout");
  run.run();
  EXPECT_EQ(run.field(Kind::kStepFailed, "code"), "gate_timeout");
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "code"), "gate_timeout");
}

TEST(Promises, G6_GatesOfParallelStepsAreIndependent) {
  Script run(Build().gate("g1").gate("g2").command("a", {"g1"}).command("b", {"g2"}).program());
  run.run();
  run.opens("g1");
  run.opens("g2");
  EXPECT_EQ(run.status(), "waiting");
  run.decides("g2", "");
  run.run();
  EXPECT_TRUE(run.runs("b"));
  EXPECT_FALSE(run.runs("a"));
  EXPECT_EQ(run.status("g1"), "waiting");
  EXPECT_FALSE(run.step("g1").gate->resolved);
  run.exits("b");
  EXPECT_EQ(run.status(), "waiting");
  run.decides("g1", "");
  run.run();
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Promises, G7_AfterADecisionTheStepNeverLooksWaitingOrFailed) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.decides("review", "r");
  run.run();
  bool decided = false;
  RunState state = initial_state(run.program(), "test-run");
  for (const Event& event : run.events()) {
    ASSERT_TRUE(apply(run.program(), state, event));
    decided = decided || event.kind == Kind::kGateResolved;
    if (!decided) continue;
    const StepStatus status = state.find("review")->status;
    EXPECT_NE(status, StepStatus::kWaiting);
    EXPECT_NE(status, StepStatus::kFailed);
    EXPECT_FALSE(is_terminal(state.status));
  }
  EXPECT_TRUE(decided);
}

TEST(Promises, G8_AJumpBackRunsWhatStandsBetweenAgainContractsIncluded) {
  Script run(reviewed().program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.decides("review", "r");
  run.run();
  EXPECT_EQ(run.field(Kind::kStepsReset, "target"), "plan");
  EXPECT_EQ(run.field(Kind::kStepStarted, "reason", "plan"), "jump");
  EXPECT_EQ(run.step("plan").visit, 2);
  EXPECT_EQ(run.status("review"), "pending");
  EXPECT_EQ(run.step("review").gate->text, "because");  // the next attempt may read it
  do_plan(run);                                         // asks for the contract again
  run.opens("review");
  run.decides("review", "a");
  run.run();
  run.exits("ship");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Promises, G8_FailEndsTheRunAsFailedWhateverThePolicy) {
  Build build = reviewed();
  build.project().pipeline.steps[1].retry.on_failure = model::OnFailure::kContinue;
  Script run(build.program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.decides("review", "x");
  run.run();
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "code"), "gate_rejected");
  EXPECT_EQ(run.last(Kind::kRunFailed)->step, "review");
}

TEST(Promises, G8_AJumpForwardSkipsWhatStandsBetween) {
  Script run(Build()
                 .gate("g", {}, choices("", "ship"))
                 .command("test", {"g"})
                 .command("docs", {"g"})
                 .command("ship", {"test"})
                 .program());
  run.run();
  run.opens("g");
  run.decides("g", "a");
  run.run();
  EXPECT_EQ(run.field(Kind::kStepSkipped, "reason", "test"), "jumped_over");
  EXPECT_TRUE(run.runs("ship"));
  EXPECT_TRUE(run.runs("docs"));  // not between the gate and its target
  run.exits("ship");
  run.exits("docs");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Promises, G8_AJumpBackEndsRunningDependentsFirst) {
  Script run(Build()
                 .command("plan")
                 .gate("review", {"plan"}, choices("plan"))
                 .command("slow", {"plan"})
                 .command("other")
                 .program());
  run.run();
  run.exits("plan");
  run.opens("review");
  run.decides("review", "r");
  EXPECT_EQ(run.count(Kind::kStepsReset), 0u);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "slow")->stop, StopReason::kStop);
  EXPECT_EQ(run.asked(OperationKind::kExecute, "other")->stop, StopReason::kNone);
  run.exits("slow", failure("stopped"));
  EXPECT_EQ(run.count(Kind::kStepsReset), 1u);
  EXPECT_TRUE(run.runs("plan"));
  EXPECT_EQ(run.status("slow"), "pending");
  EXPECT_EQ(run.step("slow").interruptions, 0);
  EXPECT_TRUE(run.runs("other"));
}

TEST(Gate, AJumpToABegunStepThatIsNotBeforeTheGateRunsThatOneAgainAndCompletesTheGate) {
  Script run(Build().command("a").gate("g", {}, choices("a")).program());
  run.run();
  run.exits("a");
  run.opens("g");
  run.decides("g", "r");
  run.run();
  EXPECT_EQ(run.step("a").visit, 2);
  EXPECT_EQ(run.status("g"), "completed");
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Gate, VisitsAreBounded) {
  Build build = reviewed();
  build.project().pipeline.steps[0].max_visits = 2;
  Script run(build.program());
  run.run();
  for (int visit = 1; visit <= 2; ++visit) {
    do_plan(run);
    run.opens("review");
    run.decides("review", "r");
    run.run();
  }
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "failure_class"), "visit_limit");
  EXPECT_EQ(run.last(Kind::kRunFailed)->step, "plan");
}

TEST(Gate, VisitsOfAllStepsAreBounded) {
  Build build = reviewed();
  build.project().pipeline.max_step_visits = 3;  // plan and review, twice: four more visits
  Script run(build.program());
  run.run();
  for (int visit = 1; visit <= 2; ++visit) {
    do_plan(run);
    run.opens("review");
    run.decides("review", "r");
    run.run();
  }
  do_plan(run);
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "failure_class"), "visit_limit");
}

TEST(Promises, G9_NothingTimesAWaitingGateButItsOwnDeadline) {
  Build build = reviewed();
  build.runtime([](model::RuntimeConfig& runtime) {
    runtime.timeouts.step_default = Millis(1);
    runtime.stall_timeout = Millis(1);
  });
  Script run(build.program());
  run.run();
  do_plan(run);
  run.opens("review");
  run.now() += std::chrono::hours(23);
  run.settle();
  EXPECT_TRUE(run.operations().empty());
  ASSERT_EQ(run.state().timers.size(), 1u);
  EXPECT_EQ(run.state().timers.begin()->second.purpose, "gate");
  EXPECT_EQ(run.status("review"), "waiting");
}

TEST(Gate, ATimerCompletesByItself) {
  Script run(Build()
                 .gate("pause")
                 .with([](model::Step& step) {
                   step.gate->type = model::Gate::Type::kTimer;
                   step.gate->timeout = std::chrono::minutes(10);
                 })
                 .command("a", {"pause"})
                 .program());
  run.run();
  run.opens("pause");
  EXPECT_EQ(run.status(), "waiting");
  EXPECT_EQ(run.state().waiting_reason, "timer");
  run.fires();
  EXPECT_EQ(run.field(Kind::kGateResolved, "outcome"), "timer");
  run.run();
  run.exits("a");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Gate, AutomaticGatesDecideThemselves) {
  Script plain(
      Build().gate("g").with([](model::Step& step) { step.gate->automatic = true; }).program());
  plain.run();
  plain.opens("g");
  EXPECT_EQ(plain.field(Kind::kGateResolved, "outcome"), "auto");
  EXPECT_EQ(plain.status(), "completed");

  Script chosen(Build()
                    .gate("g", {}, choices("g"))
                    .with([](model::Step& step) { step.gate->automatic = true; })
                    .program());
  chosen.run();
  chosen.opens("g");
  EXPECT_EQ(chosen.field(Kind::kGateResolved, "choice"), "a");
  EXPECT_EQ(chosen.status(), "completed");
}

TEST(Gate, APromptThatCannotBeRenderedFailsTheStep) {
  Script run(Build().gate("g").program());
  run.run();
  run.answer(OperationKind::kOpenGate, "g", Kind::kAgentExited,
             failure("deterministic", "no such artifact"));
  EXPECT_EQ(run.status(), "failed");
  EXPECT_EQ(run.field(Kind::kRunFailed, "message"), "no such artifact");
}

}  // namespace
}  // namespace wave::flow
