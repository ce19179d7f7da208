// G: human gates.
#include <gtest/gtest.h>

#include <csignal>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

constexpr std::string_view kAsk =
    "  - {id: before, type: command, script: \"true\"}\n"
    "  - id: ask\n    dependencies: [before]\n"
    "    gate:\n      type: approval\n      prompt: \"Ship it?\"\n      freeform: true\n"
    "      choices:\n        - {label: \"Yes\", key: y}\n        - {label: \"No\", key: n, target: "
    "_fail}\n"
    "        - {label: \"Again\", key: again, target: before}\n"
    "  - {id: after, type: command, dependencies: [ask], script: \"echo {{ gate.ask.text }}\"}\n";

struct Waiting {
  Project project;
  std::unique_ptr<Program> owner;
  std::string run;

  explicit Waiting(std::string_view steps = kAsk) {
    project.pipeline("ask", steps);
    owner = start_wave(project, {"run", "ask"});
    run = wait_for_run(project);
    wait_for_event(project, run, "gate_waiting", "ask");
  }
  Exit answer(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"gate", run};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return wave(project, arguments);
  }
};

TEST(Promises, G1_AWaitingGateSurvivesARestart) {
  Waiting waiting;
  waiting.owner->signal(SIGKILL);
  waiting.owner->wait();
  const Exit list = wave(waiting.project, {"gate", "--json"});
  EXPECT_TRUE(list.out.contains("Ship it?")) << list.out << list.err;
  EXPECT_TRUE(list.out.contains(waiting.run));
  EXPECT_EQ(waiting.answer({"ask", "--choice", "y"}).code, 0);
  // Nobody owned the run: whoever answers sees to it that somebody does.
  EXPECT_TRUE(wait_for_status(waiting.project, waiting.run, "completed"));
  const auto log = events(waiting.project, waiting.run);
  EXPECT_EQ(count_events(log, "gate_waiting", "ask"), 1u) << "the same gate, not a new one";
  EXPECT_EQ(count_events(log, "gate_resolved", "ask"), 1u);
  EXPECT_EQ(status(waiting.project, waiting.run), "completed");
}

TEST(Promises, G2_CommandLineAndApiDecideTheSameRecordByTheSameRules) {
  const Project project;
  project.pipeline("ask", kAsk);
  const Server server(project);
  const auto ask = [&] {
    const std::string run = server.submit({{"pipeline", "ask"}});
    server.wait_for_status(run, "waiting");
    return run;
  };
  const auto by_api = [&](const std::string& run, const std::string& choice) {
    return server.post("/api/runs/" + run + "/gate/ask", json::object{{"choice", choice}});
  };
  const auto by_command = [&](const std::string& run, const std::string& choice) {
    return wave(project, {"gate", run, "ask", "--choice", choice, "--json"});
  };
  const std::string first = ask();
  const Answer odd_api = by_api(first, "maybe");
  const Exit odd_command = by_command(first, "maybe");
  EXPECT_EQ(odd_api.status, 422) << odd_api.body;
  EXPECT_EQ(odd_command.code, 2) << odd_command.err;
  EXPECT_EQ(get_string(odd_api.object(), "code"), "invalid_choice");
  EXPECT_TRUE(odd_command.err.contains("invalid_choice")) << odd_command.err;

  EXPECT_LT(by_api(first, "y").status, 300);
  EXPECT_EQ(by_command(first, "n").code, 5) << "the decision of the API stands";
  server.wait_for_status(first, "completed");

  const std::string second = ask();
  EXPECT_EQ(by_command(second, "y").code, 0);
  EXPECT_EQ(by_api(second, "n").status, 409) << "the decision of the command line stands";
  server.wait_for_status(second, "completed");
}

TEST(Promises, G3_TheFirstDecisionWins) {
  Waiting waiting;
  EXPECT_EQ(waiting.answer({"ask", "--choice", "y"}).code, 0);
  const Exit second = waiting.answer({"ask", "--choice", "n"});
  EXPECT_EQ(second.code, 5) << second.out << second.err;
  EXPECT_EQ(waiting.owner->wait().code, 0);
  EXPECT_EQ(status(waiting.project, waiting.run), "completed");
  const auto log = events(waiting.project, waiting.run);
  EXPECT_EQ(count_events(log, "gate_resolved", "ask"), 1u);
}

TEST(Promises, G3_AnUnknownChoiceIsRefusedAndDecidesNothing) {
  Waiting waiting;
  const Exit refused = waiting.answer({"ask", "--choice", "maybe"});
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_EQ(count_events(events(waiting.project, waiting.run), "gate_resolved"), 0u);
  EXPECT_EQ(waiting.answer({"ask", "--choice", "n"}).code, 0);
  EXPECT_EQ(waiting.owner->wait().code, 1);
}

TEST(Promises, G4_ADecisionSaysWhoWhenHowWhichAndWhat) {
  Waiting waiting;
  EXPECT_EQ(waiting.answer({"ask", "--choice", "y", "--text", "looks fine"}).code, 0);
  EXPECT_EQ(waiting.owner->wait().code, 0);
  const json::object decided = wait_for_event(waiting.project, waiting.run, "gate_resolved", "ask");
  EXPECT_EQ(get_string(decided, "choice"), "y");
  EXPECT_EQ(get_string(decided, "text"), "looks fine");
  EXPECT_EQ(get_string(decided, "via"), "cli");
  EXPECT_FALSE(get_string(decided, "by").empty());
  EXPECT_FALSE(get_string(decided, "ts").empty());
}

TEST(Promises, G5_ADeadlineWithoutDefaultEndsAsGateTimeout) {
  const Project project;
  project.pipeline("ask",
                   "  - id: ask\n    gate: {type: approval, timeout: \"100ms\", choices: [{label: "
                   "\"Yes\", key: y}]}\n");
  EXPECT_EQ(wave(project, {"run", "ask"}).code, 1);
  const auto log = events(project, newest_run(project).value_or(""));
  bool timed_out = false;
  for (const json::object& event : log) timed_out |= get_string(event, "outcome") == "timeout";
  EXPECT_TRUE(timed_out);
  bool code = false;
  for (const json::object& event : log) code |= get_string(event, "code") == "gate_timeout";
  EXPECT_TRUE(code);
}

TEST(Promises, G6_GatesOfParallelStepsAreIndependent) {
  const Project project;
  project.pipeline(
      "two",
      "  - id: left\n    gate: {type: approval, prompt: l, choices: [{label: \"Yes\", key: y}]}\n"
      "  - id: right\n    gate: {type: approval, prompt: r, choices: [{label: \"Yes\", key: "
      "y}]}\n");
  const auto owner = start_wave(project, {"run", "two"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "gate_waiting", "left");
  wait_for_event(project, run, "gate_waiting", "right");
  EXPECT_EQ(wave(project, {"gate", run, "right", "--choice", "y"}).code, 0);
  wait_for_event(project, run, "step_completed", "right");
  EXPECT_EQ(count_events(events(project, run), "gate_resolved", "left"), 0u);
  EXPECT_EQ(wave(project, {"gate", run, "left", "--choice", "y"}).code, 0);
  EXPECT_EQ(owner->wait().code, 0);
}

TEST(Promises, G8_ATargetJumpsBackAndFailEnds) {
  Waiting waiting;
  EXPECT_EQ(waiting.answer({"ask", "--choice", "again"}).code, 0);
  EXPECT_TRUE(wait_until([&] {
    return count_events(events(waiting.project, waiting.run), "gate_waiting", "ask") == 2;
  }));
  EXPECT_EQ(waiting.answer({"ask", "--choice", "n"}).code, 5)
      << "without a gate_id a step that had two gates is ambiguous";
  const auto log = events(waiting.project, waiting.run);
  std::string gate_id;
  for (const json::object& event : log) {
    if (get_string(event, "event") == "gate_waiting") gate_id = get_string(event, "gate_id");
  }
  EXPECT_EQ(count_events(log, "step_started", "before"), 2u);
  EXPECT_EQ(waiting.answer({gate_id, "--choice", "n"}).code, 0);
  EXPECT_EQ(waiting.owner->wait().code, 1);
  EXPECT_EQ(status(waiting.project, waiting.run), "failed");
}

TEST(Promises, G9_NothingButItsDeadlineEndsAWaitingGate) {
  const Project project;
  project.manifest_append("  stall_timeout: \"50ms\"\n  timeouts: {step_default_minutes: 1}\n");
  project.pipeline("ask", kAsk);
  const auto owner = start_wave(project, {"run", "ask", "--timeout", "100ms"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "gate_waiting", "ask");
  // Several times the stall and step limits: nothing happens until somebody answers.
  EXPECT_FALSE(wait_until([&] { return owner->ended(); }, std::chrono::milliseconds(600)));
  EXPECT_EQ(status(project, run), "waiting");
  EXPECT_EQ(wave(project, {"gate", run, "ask", "--choice", "y"}).code, 0);
  EXPECT_EQ(owner->wait().code, 0);
}

constexpr std::string_view kAsksBeforeItShips =
    "  - {id: build, type: command, script: \"true\"}\n"
    "  - id: ask\n    dependencies: [build]\n"
    "    gate: {type: approval, choices: [{label: \"Yes\", key: y}], timeout: \"50ms\", default: "
    "y}\n"
    "  - {id: pack, type: command, dependencies: [ask], script: \"true\"}\n"
    "  - {id: ship, type: command, dependencies: [pack], script: \"true\"}\n";

TEST(Promises, G11_AnApprovedRunThatIsResumedAtAStepAsksAgain) {
  const Project project;
  project.pipeline("p", std::string(kAsksBeforeItShips));
  EXPECT_EQ(wave(project, {"run", "p"}).code, 0);
  const std::string first = newest_run(project).value_or("");
  const Exit resumed = wave(project, {"resume", first, "--from-step", "ship"});
  EXPECT_EQ(resumed.code, 0) << resumed.out << resumed.err;
  const std::string second = newest_run(project).value_or("");
  ASSERT_NE(first, second);
  const auto log = events(project, second);
  EXPECT_EQ(count_events(log, "gate_waiting", "ask"), 1u);
  EXPECT_EQ(count_events(log, "step_started", "pack"), 0u) << "its work is taken over";
  bool answered = false;
  for (const json::object& event : log) {
    answered = answered || get_string(event, "event") == "gate_resolved";
    if (get_string(event, "event") == "step_started" && get_string(event, "step") == "ship") {
      EXPECT_TRUE(answered);
    }
  }
}

TEST(Promises, G11_NoChoiceOfStepsLeavesOutAGate) {
  const Project project;
  project.pipeline("p", std::string(kAsksBeforeItShips));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", "p", "--exclude", "ask"},
        {"run", "p", "--steps", "ship"},
        {"run", "p", "--steps", "pack", "--steps", "ship"}}) {
    const Exit refused = wave(project, arguments);
    EXPECT_NE(refused.code, 0);
    EXPECT_TRUE(refused.err.contains("--skip-gates")) << refused.err;
  }
  EXPECT_EQ(wave(project, {"run", "p", "--steps", "build"}).code, 0) << "nothing stands behind it";
  EXPECT_EQ(wave(project, {"run", "p", "--steps", "ask", "--steps", "ship"}).code, 0);
  EXPECT_EQ(wave(project, {"run", "p", "--steps", "ship", "--skip-gates"}).code, 0);
  EXPECT_EQ(wave(project, {"run", "p", "--skip-gates"}).code, 0);
  EXPECT_EQ(count_events(events(project, newest_run(project).value_or("")), "gate_waiting"), 0u);
}

TEST(Promises, G10_AnAgentSkipsNoGates) {
  const Project project;
  project.pipeline("p", std::string(kAsksBeforeItShips));
  const Exit refused = wave(project, {"run", "p", "--skip-gates"}, {{"WAVE_AGENT", "run/step"}});
  EXPECT_EQ(refused.code, 5) << refused.out << refused.err;
  EXPECT_TRUE(refused.err.contains("must not skip gates")) << refused.err;
}

TEST(Promises, G10_AnAgentDoesNotApproveItsOwnWork) {
  const Project project;
  project.pipeline("self",
                   "  - id: ask\n    gate: {type: approval, choices: [{label: \"Yes\", key: y}], "
                   "timeout: \"2s\", default: y}\n"
                   "  - id: cheat\n    type: command\n    script: |\n"
                   "      cd ../../../..\n"
                   "      i=0; while [ $i -lt 50 ]; do " WAVE_BINARY
                   " gate --json | grep -q '\"ask' && break; i=$((i+1)); done\n"
                   "      run=$(ls .agents/state/runs | head -1)\n"
                   "      " WAVE_BINARY
                   " gate \"$run\" ask --choice y; echo \"exit $?\" > cheat.txt; true\n");
  (void)wave(project, {"run", "self"});
  EXPECT_EQ(project.read("cheat.txt"), "exit 5\n");
}

}  // namespace
}  // namespace wave::test
