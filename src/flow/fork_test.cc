// New runs from terminal ones, choosing models, and the program's graph and hooks.
#include "flow/fork.h"

#include "flow/flow_test_kit.h"
#include "flow/model_choice.h"
#include "flow/retry.h"

namespace wave::flow {
namespace {

using namespace testing;
using HookEvent = model::Hook::Event;

/// a -> b -> c, d beside them; b fails.
Script failed_run() {
  Script run(Build()
                 .command("a")
                 .output("plan")
                 .command("b", {"a"})
                 .command("c", {"b"})
                 .command("d")
                 .program());
  run.run();
  run.exits("d");
  run.exits("a");
  Event artifact;
  artifact.kind = Kind::kArtifactCreated;
  artifact.step = "a";
  artifact.visit = artifact.attempt = 1;
  artifact.data = {{"name", "plan"}, {"sha256", "abc"}, {"size", 3}, {"type", "json"}};
  run.put(artifact);
  run.collects("a");
  json::object exit = failure("transient", "the reason");
  exit["output_tail"] = "the end";
  run.exits("b", exit);
  EXPECT_EQ(run.status(), "failed");
  return run;
}

TEST(Fork, BeginsWhereTheOriginFailedAndKnowsWhy) {
  const Script origin = failed_run();
  const auto taken = fork_state(origin.program(), origin.state(), "");
  ASSERT_TRUE(taken) << full_message(taken.error());
  EXPECT_EQ(get_string(*taken, "from_step"), "b");
  EXPECT_EQ(get_array(*taken, "steps").size(), 2u);

  const Program program = origin.program();
  RunState state = initial_state(program, "new-run");
  Event forked;
  forked.seq = 1;
  forked.run_id = "new-run";
  forked.kind = Kind::kRunForked;
  forked.data = {{"origin_run_id", "test-run"}, {"origin_seq", 9}, {"state", *taken}};
  ASSERT_TRUE(apply(program, state, *decode(encode(forked))));
  EXPECT_TRUE(decide(program, state).operations.empty());  // not queued yet
  Event queued;
  queued.seq = 2;
  queued.run_id = "new-run";
  queued.kind = Kind::kRunQueued;
  ASSERT_TRUE(apply(program, state, queued));
  Event started;
  started.seq = 3;
  started.run_id = "new-run";
  started.kind = Kind::kRunStarted;
  ASSERT_TRUE(apply(program, state, started));
  EXPECT_EQ(state.origin_run_id, "test-run");
  EXPECT_EQ(state.find("a")->status, StepStatus::kCompleted);
  EXPECT_EQ(state.find("a")->reason, "forked");
  ASSERT_EQ(state.find("a")->artifacts.size(), 1u);
  EXPECT_EQ(state.find("a")->artifacts[0].sha256, "abc");
  EXPECT_EQ(state.find("c")->status, StepStatus::kPending);
  const Decisions decisions = decide(program, state);
  ASSERT_EQ(decisions.emit.size(), 1u);
  EXPECT_EQ(decisions.emit[0].step, "b");
  Event begun = decisions.emit[0];
  begun.seq = 4;
  begun.run_id = "new-run";
  ASSERT_TRUE(apply(program, state, begun));
  EXPECT_EQ(state.find("b")->failure.message, "the reason");  // for the prompt
  EXPECT_EQ(state.find("b")->failure.output_tail, "the end");
}

TEST(Fork, BeginsAtANamedStepAndRunsItsDescendantsAgain) {
  const Script origin = failed_run();
  const auto taken = fork_state(origin.program(), origin.state(), "a");
  ASSERT_TRUE(taken);
  ASSERT_EQ(get_array(*taken, "steps").size(), 1u);
  EXPECT_EQ(get_string(get_array(*taken, "steps")[0].get_object(), "id"), "d");
}

/// The run that is made from `origin` at `from_step`, up to its first decisions.
Script forked_run(const Script& origin, const std::string& from_step) {
  const auto taken = fork_state(origin.program(), origin.state(), from_step);
  EXPECT_TRUE(taken) << full_message(taken.error());
  Event forked;
  forked.kind = Kind::kRunForked;
  forked.data = {{"origin_run_id", "origin"}, {"origin_seq", 9}, {"state", *taken}};
  Script run(origin.program(), {}, std::move(forked));
  run.run();
  return run;
}

/// build -> ask -> pack -> ship -> tell; everything approved and done.
Script shipped_run() {
  Script run(Build()
                 .command("build")
                 .gate("ask", {"build"})
                 .command("pack", {"ask"})
                 .command("ship", {"pack"})
                 .command("tell", {"ship"})
                 .program());
  run.run();
  run.exits("build");
  run.opens("ask");
  run.decides("ask", "");
  run.run();
  for (const char* step : {"pack", "ship", "tell"}) run.exits(step);
  EXPECT_EQ(run.status(), "completed");
  return run;
}

TEST(Promises, G11_AnApprovalIsForOneDeployment) {
  Script run = forked_run(shipped_run(), "ship");
  EXPECT_EQ(run.status("build"), "completed");
  EXPECT_EQ(run.status("pack"), "completed") << "its work is taken over";
  EXPECT_FALSE(run.runs("ship")) << "nobody approved this deployment";
  run.opens("ask");
  EXPECT_EQ(run.status(), "waiting");
  run.decides("ask", "");
  run.run();
  EXPECT_FALSE(run.runs("pack"));
  EXPECT_TRUE(run.runs("ship"));
  run.exits("ship");
  run.exits("tell");
  EXPECT_EQ(run.status(), "completed");
}

TEST(Promises, G11_NothingStartsBehindAGateThatIsAskedAgainAndRefused) {
  Script run = forked_run(shipped_run(), "tell");
  run.opens("ask");
  Event failed =
      gate_resolved(*run.step("ask").gate, "ask", run.step("ask").visit, "timeout", "", "", "", "");
  run.put(failed);
  if (run.asked(OperationKind::kAcquireSlot) != nullptr) run.run();
  EXPECT_FALSE(run.runs("tell"));
  EXPECT_EQ(run.status(), "failed");
}

// The same deployment goes on where it failed.
TEST(Fork, WithoutAStepTheAnswersOfGatesStand) {
  Script origin(Build().gate("ask").command("pack", {"ask"}).command("ship", {"pack"}).program());
  origin.run();
  origin.opens("ask");
  origin.decides("ask", "");
  origin.run();
  origin.exits("pack");
  origin.fails("ship", "deterministic");
  ASSERT_EQ(origin.status(), "failed");
  EXPECT_TRUE(forked_run(origin, "").runs("ship"));
  EXPECT_FALSE(forked_run(origin, "ship").runs("ship"));
}

TEST(Fork, AStepThatAGateJumpedOverIsDecidedAgain) {
  Build build;
  build.command("build").gate("ask", {"build"}, {{"Ship", "s", "ship"}, {"Test", "t", "test"}});
  build.command("test", {"ask"}).command("ship", {"test"});
  Script origin(build.program());
  origin.run();
  origin.exits("build");
  origin.opens("ask");
  origin.decides("ask", "s");
  origin.run();
  origin.exits("ship");
  ASSERT_EQ(origin.status(), "completed");
  ASSERT_EQ(origin.step("test").skip_reason, "jumped_over");
  Script run = forked_run(origin, "ship");
  EXPECT_FALSE(run.runs("ship"));
  run.opens("ask");
  run.decides("ask", "t");
  run.run();
  EXPECT_TRUE(run.runs("test"));
  EXPECT_FALSE(run.runs("ship"));
}

TEST(Fork, RefusesWhatCannotBe) {
  const Script origin = failed_run();
  const auto unknown = fork_state(origin.program(), origin.state(), "aa");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::kNotFound);
  EXPECT_NE(unknown.error().hint.find("'a'"), std::string::npos);
  const auto early = fork_state(origin.program(), origin.state(), "c");
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::kConflict);
  EXPECT_NE(early.error().message.find("'b'"), std::string::npos);

  Script done(Build().command("a").program());
  done.run();
  done.exits("a");
  EXPECT_EQ(fork_state(done.program(), done.state(), "").error().code, Code::kConflict);
  EXPECT_TRUE(fork_state(done.program(), done.state(), "a"));
}

TEST(Projection, RowsSinceASequenceAreThoseThatChanged) {
  const Script run = failed_run();
  const Projection all = project(run.program(), run.state(), 0);
  EXPECT_EQ(all.steps.size(), 4u);
  EXPECT_EQ(all.run.status, "failed");
  EXPECT_EQ(all.run.failed_step, "b");
  EXPECT_EQ(all.run.error_message, "the reason");
  EXPECT_EQ(all.run.steps_total, 4);
  EXPECT_EQ(all.run.steps_done, 3);
  EXPECT_EQ(all.artifacts.size(), 1u);
  EXPECT_EQ(all.steps[1].error_message, "the reason");
  EXPECT_EQ(all.steps[0].error_message, "");
  const Projection late = project(run.program(), run.state(), run.step("a").changed_seq);
  for (const StepRow& row : late.steps) EXPECT_EQ(row.step, "b");
  EXPECT_TRUE(project(run.program(), run.state(), run.state().last_seq).steps.empty());
}

TEST(Program, KnowsWhatIsBeforeAndAfterAStep) {
  const Program program = Build()
                              .command("d", {"b", "c"})
                              .command("a")
                              .command("b", {"a"})
                              .command("c", {"a"})
                              .program();
  EXPECT_EQ(program.descendants(1), (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(program.ancestors(0), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(program.descendants(0), std::vector<int>{});
  EXPECT_EQ(program.index_of("c"), 3);
  EXPECT_EQ(program.index_of("x"), -1);
}

TEST(Program, HooksOfTheManifestComeFirstAndMatchersSelectSteps) {
  Build build;
  build.command("build").command("test");
  build.hook(HookEvent::kStepStart);
  model::Hook general;
  general.name = "general";
  general.event = HookEvent::kStepStart;
  build.project().manifest.hooks.push_back(general);
  model::Hook matched = general;
  matched.name = "matched";
  matched.matcher = "^te";
  build.project().manifest.hooks.push_back(matched);
  const Program program = build.program();
  const Program copy = program;  // NOLINT: a copy has to stand on its own
  const auto hooks = copy.hooks(HookEvent::kStepStart, "test");
  ASSERT_EQ(hooks.size(), 3u);
  EXPECT_EQ(hooks[0]->name, "general");
  EXPECT_EQ(hooks[1]->name, "matched");
  EXPECT_EQ(hooks[2]->name, "hook");
  EXPECT_EQ(copy.hooks(HookEvent::kStepStart, "build").size(), 2u);
  EXPECT_EQ(copy.hook_count(HookEvent::kStepStart, 0), 2u);
  EXPECT_EQ(copy.hook_count(HookEvent::kRunStart, -1), 0u);
  EXPECT_TRUE(copy.hooks(HookEvent::kStepStart, "nobody").empty());
}

TEST(Fingerprint, LeavesOutWhatDiffersFromTimeToTime) {
  const auto print = [](std::string message) {
    return failure_fingerprint("a", {.failure_class = FailureClass::kTestFailure,
                                     .code = "",
                                     .message = std::move(message),
                                     .contract_errors = {},
                                     .output_tail = {}});
  };
  EXPECT_EQ(print("FAIL at 2026-11-23T10:00:01.5Z in /tmp/x1/y.go:17: id 0xdeadbeef"),
            print("fail at 2025-01-02T23:59:59Z in /tmp/other:3: id 0x1234"));
  EXPECT_EQ(print("run 123e4567-e89b-42d3-a456-426614174000"),
            print("run 00000000-e89b-42d3-a456-426614174fff"));
  EXPECT_NE(print("one thing"), print("another thing"));
}

// --- models ---

struct ModelCase {
  std::string name;
  std::string step_model, persona_model, option_model;
  bool force = false;
  int attempt = 1;
  std::string expected;
};

TEST(ModelChoice, Precedence) {
  model::Manifest manifest;
  model::AdapterConfig claude;
  claude.default_model = "balanced";
  claude.tier_models = {{"cheapest", "small"}, {"balanced", "medium"}, {"strongest", "large"}};
  manifest.adapters["claude"] = claude;
  const std::vector<ModelCase> cases{
      {"adapter default", "", "", "", false, 1, "medium"},
      {"persona", "", "cheapest", "", false, 1, "small"},
      {"step over persona", "literal-1", "cheapest", "", false, 1, "literal-1"},
      {"literal on the command line", "strongest", "", "literal-2", false, 1, "literal-2"},
      {"the cheaper of two tiers", "strongest", "", "cheapest", false, 1, "small"},
      {"the cheaper of two tiers, the other way", "cheapest", "", "strongest", false, 1, "small"},
      {"a tier on the command line alone", "", "", "strongest", false, 1, "large"},
      {"forced", "cheapest", "", "strongest", true, 1, "large"},
      {"raised by a retry", "", "cheapest", "", false, 2, "medium"},
      {"raised to the top", "", "cheapest", "", false, 9, "large"},
      {"literals are not raised", "literal-1", "", "", false, 3, "literal-1"},
  };
  for (const ModelCase& wanted : cases) {
    model::Step step;
    step.model = wanted.step_model;
    model::Persona persona;
    persona.adapter = "claude";
    persona.model = wanted.persona_model;
    RunOptions options;
    options.model = wanted.option_model;
    options.force_model = wanted.force;
    const ModelChoice choice = choose_model(manifest, step, &persona, options, wanted.attempt);
    EXPECT_EQ(choice.model, wanted.expected) << wanted.name;
    EXPECT_EQ(choice.adapter, "claude");
  }
}

TEST(ModelChoice, AnotherAdapterDropsThePersonasModel) {
  model::Manifest manifest;
  manifest.adapters["codex"].default_model = "codex-model";
  model::Step step;
  step.adapter = "codex";
  model::Persona persona;
  persona.adapter = "claude";
  persona.model = "strongest";
  EXPECT_EQ(choose_model(manifest, step, &persona, {}, 1).model, "codex-model");
  RunOptions options;
  options.adapter = "gemini";
  EXPECT_EQ(choose_model(manifest, step, &persona, options, 1).adapter, "gemini");
  EXPECT_EQ(choose_model(manifest, step, &persona, options, 1).model, "");
}

TEST(ModelChoice, TiersFallBackToTheRoutingMapAndAutoRouteGoesByName) {
  model::Manifest manifest;
  EXPECT_EQ(resolve_model(manifest, "x", "cheapest"), "claude-haiku-4-5");
  EXPECT_EQ(resolve_model(manifest, "x", "balanced"), "");
  EXPECT_EQ(resolve_model(manifest, "x", "literal"), "literal");
  manifest.runtime.routing.auto_route = true;
  model::Persona persona;
  persona.adapter = "x";
  const auto tier = [&](std::string name) {
    persona.name = std::move(name);
    return choose_model(manifest, {}, &persona, {}, 1).tier;
  };
  EXPECT_EQ(tier("Planner"), "cheapest");
  EXPECT_EQ(tier("go-implementer"), "strongest");
  EXPECT_EQ(tier("writer"), "balanced");
  model::Step step;
  step.retry.no_escalate = true;
  persona.name = "planner";
  EXPECT_EQ(choose_model(manifest, step, &persona, {}, 3).tier, "cheapest");
}

}  // namespace
}  // namespace wave::flow
