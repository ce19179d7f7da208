// S: steps and agents.
#include <gtest/gtest.h>

#include <csignal>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

// The host process of a run's agent.
pid_t host_of(const Project& project, const std::string& run, const std::string& launch) {
  const auto meta = parsed(project.read(".agents/state/runs/" + run + "/" + launch + "/meta"));
  return static_cast<pid_t>(get_int(meta.as_object(), "host_pid"));
}

TEST(Promises, S1_AnAgentOutlivesItsOwner) {
  const Project project;
  project.pipeline("long",
                   "  - id: work\n    type: command\n    script: |\n"
                   "      echo begin\n      while [ ! -e ../../../../go ]; do sleep 0.02; done\n   "
                   "   echo end\n");
  std::string run;
  {
    const auto owner = start_wave(project, {"run", "long"});
    run = wait_for_run(project);
    wait_for_event(project, run, "stream_activity", "work");
    owner->signal(SIGKILL);
    owner->wait();
  }
  EXPECT_FALSE(agents_of(run).empty()) << "the agent died with its owner";
  project.write("go", "");
  EXPECT_TRUE(wait_until([&] { return agents_of(run).empty(); }));
  EXPECT_EQ(wave(project, {"resume", run}).code, 0);
  const auto log = events(project, run);
  EXPECT_EQ(count_events(log, "step_started", "work"), 1u);
  std::string said;
  for (const json::object& event : log) said += get_string(event, "content");
  EXPECT_EQ(said.find("begin"), said.rfind("begin"));
  EXPECT_TRUE(said.contains("end"));
}

TEST(Promises, S1_CtrlCStopsAndResumeGoesOn) {
  const Project project;
  project.pipeline("long",
                   "  - id: work\n    type: command\n    script: |\n"
                   "      echo begin\n      while [ ! -e ../../../../go ]; do sleep 0.02; done\n");
  const auto owner = start_wave(project, {"run", "long"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "work");
  owner->signal(SIGINT);
  const Exit stopped = owner->wait();
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_TRUE((stopped.out + stopped.err).contains("wave resume")) << stopped.out << stopped.err;
  EXPECT_EQ(status(project, run), "waiting");
  EXPECT_TRUE(agents_of(run).empty());
  project.write("go", "");
  EXPECT_EQ(wave(project, {"resume", run}).code, 0);
  EXPECT_EQ(status(project, run), "completed");
}

TEST(Promises, S2_AStepWhoseHostAndAgentAreGoneRunsAgain) {
  const Project project;
  project.pipeline("long",
                   "  - id: work\n    type: command\n    script: |\n"
                   "      echo \"key $WAVE_IDEMPOTENCY_KEY\" >> ../../../../keys\n"
                   "      echo begin\n      [ -e ../../../../second ] || sleep 600\n");
  std::string run;
  {
    const auto owner = start_wave(project, {"run", "long"});
    run = wait_for_run(project);
    wait_for_event(project, run, "stream_activity", "work");
    owner->signal(SIGKILL);
    owner->wait();
  }
  ::kill(host_of(project, run, "work.1.1"), SIGKILL);
  project.write("second", "");
  EXPECT_EQ(wave(project, {"resume", run}).code, 0);
  const auto log = events(project, run);
  EXPECT_EQ(count_events(log, "step_interrupted", "work"), 1u);
  EXPECT_EQ(count_events(log, "step_started", "work"), 2u);
  EXPECT_TRUE(wait_until([&] { return agents_of(run).empty(); })) << "the lost host's agent lives";
  const auto keys = split(std::string(trim(project.read("keys"))), '\n');
  ASSERT_EQ(keys.size(), 2u);
  EXPECT_EQ(keys[0], keys[1]) << "a repeated attempt carries the same key";
}

TEST(Promises, S2_AfterThreeInterruptionsTheStepFails) {
  const Project project;
  project.pipeline("long",
                   "  - id: work\n    type: command\n    script: \"echo begin; sleep 600\"\n");
  auto owner = start_wave(project, {"run", "long"});
  const std::string run = wait_for_run(project);
  for (size_t round = 0; round < 3; ++round) {
    ASSERT_TRUE(wait_until([&] {
      const auto log = events(project, run);
      return count_events(log, "stream_activity", "work") > round;
    }));
    const std::string launch = round == 0 ? "work.1.1" : "work.1.1.again-" + std::to_string(round);
    ::kill(host_of(project, run, launch), SIGKILL);
  }
  EXPECT_EQ(owner->wait().code, 1);
  const json::object failed = wait_for_event(project, run, "step_failed", "work");
  EXPECT_EQ(get_string(failed, "failure_class"), "interrupted_repeatedly");
}

TEST(Promises, S3_WhenARunIsTerminalNoProcessOfItIsLeft) {
  const Project project;
  project.pipeline("strays",
                   "  - id: work\n    type: command\n    script: |\n"
                   "      setsid sleep 600 &\n      (setsid sh -c 'sleep 600' &)\n      nohup "
                   "sleep 600 &\n      true\n");
  EXPECT_EQ(wave(project, {"run", "strays"}).code, 0);
  const std::string run = newest_run(project).value_or("");
  EXPECT_TRUE(agents_of(run).empty());
}

TEST(Promises, S4_AFloodIsCappedAndTheRunGoesOn) {
  const Project project;
  project.manifest_append("  max_output_size: 1048576\n");
  project.pipeline(
      "flood",
      "  - id: flood\n    type: command\n    optional: true\n    script: \"yes flooding\"\n"
      "  - {id: beside, type: command, script: \"true\"}\n");
  EXPECT_EQ(wave(project, {"run", "flood"}).code, 0);
  const std::string run = newest_run(project).value_or("");
  const json::object exited = wait_for_event(project, run, "agent_exited", "flood");
  EXPECT_EQ(get_string(exited, "failure_class"), "output_limit");
  for (const json::object& event : events(project, run)) EXPECT_LT(dump_json(event).size(), 16384u);
}

TEST(Promises, S5_ATimeoutMeansTheSameForCommandsAndAgents) {
  const Project project;
  project.script("agent", "actions:\n  - say: thinking\n  - hang: true\n");
  project.pipeline(
      "slow",
      "  - {id: command, type: command, script: \"sleep 600\", optional: true}\n"
      "  - {id: agent, persona: worker, exec: {type: prompt, source: go}, optional: true}\n");
  EXPECT_EQ(wave(project, {"run", "slow", "--timeout", "500ms"}).code, 0);
  const auto log = events(project, newest_run(project).value_or(""));
  for (const char* step : {"command", "agent"}) {
    bool timed_out = false;
    for (const json::object& event : log) {
      timed_out |= get_string(event, "step") == step &&
                   get_string(event, "event") == "agent_exited" &&
                   get_string(event, "failure_class") == "timeout";
    }
    EXPECT_TRUE(timed_out) << step;
  }
}

TEST(Promises, S5_AStallMeansTheSameForCommandsAndAgents) {
  const Project project;
  project.manifest_append("  stall_timeout: \"400ms\"\n");
  project.script("agent", "actions:\n  - say: thinking\n  - hang: true\n");
  project.pipeline(
      "quiet",
      "  - {id: command, type: command, script: \"echo begin; sleep 600\", optional: true}\n"
      "  - {id: agent, persona: worker, exec: {type: prompt, source: go}, optional: true}\n");
  EXPECT_EQ(wave(project, {"run", "quiet"}).code, 0);
  const auto log = events(project, newest_run(project).value_or(""));
  for (const char* step : {"command", "agent"}) {
    bool stalled = false;
    for (const json::object& event : log) {
      stalled |= get_string(event, "step") == step &&
                 get_string(event, "event") == "agent_exited" &&
                 get_string(event, "failure_class") == "stalled";
    }
    EXPECT_TRUE(stalled) << step;
  }
}

TEST(Promises, S6_NoSecretReachesEventsLogsOrErrors) {
  const Project project;
  const std::string secret = "tok-9f8e7d6c5b4a3210";
  project.manifest_append("  sandbox: {env_passthrough: [DEPLOY_TOKEN]}\n");
  project.pipeline(
      "leak",
      "  - id: leak\n    type: command\n    script: |\n"
      "      echo \"the token is $DEPLOY_TOKEN\"\n      printf %s \"$DEPLOY_TOKEN\" | base64\n"
      "      echo \"$DEPLOY_TOKEN\" >&2\n      exit 1\n");
  const Exit run = wave(project, {"run", "leak"}, {{"DEPLOY_TOKEN", secret}});
  EXPECT_EQ(run.code, 1);
  const std::string id = newest_run(project).value_or("");
  const std::string shown = run.out + run.err + wave(project, {"logs", id, "--json"}).out +
                            wave(project, {"status", id, "--json"}).out +
                            wave(project, {"logs", id}).out;
  EXPECT_TRUE(shown.contains("the token is")) << "the test sees nothing";
  EXPECT_FALSE(shown.contains(secret));
  EXPECT_FALSE(shown.contains("dG9rLTlmOGU3ZDZjNWI0YTMyMTA"));
}

TEST(Promises, S7_AContractThatCannotBeEvaluatedFails) {
  const Project project;
  project.pipeline("blind",
                   "  - id: make\n    type: command\n    script: \"true\"\n"
                   "    handover: {contract: {type: test_suite, command: \"/no/such/program\", "
                   "on_failure: fail}}\n");
  EXPECT_EQ(wave(project, {"run", "blind"}).code, 1);
  const json::object failed =
      wait_for_event(project, newest_run(project).value_or(""), "contract_failed", "make");
  EXPECT_EQ(find(failed, "evaluable")->get_bool(), false) << dump_json(failed);
  EXPECT_FALSE(get_string(failed, "message").empty());
}

TEST(Promises, S8_WhatAnAgentMayNotDoIsRefused) {
  const Project project;
  project.write("wave.yaml",
                replace_all(project.read("wave.yaml"), "  reviewer:\n",
                            "  reader:\n    adapter: scripted\n"
                            "    system_prompt_file: .agents/personas/worker.md\n"
                            "    permissions: {allowed_tools: [Read]}\n  reviewer:\n"));
  project.script("look",
                 "actions:\n  - write: {path: forbidden.txt, content: no}\n  - result: done\n");
  project.pipeline("look", "  - {id: look, persona: reader, exec: {type: prompt, source: look}}\n");
  (void)wave(project, {"run", "look"});
  const std::string run = newest_run(project).value_or("");
  EXPECT_FALSE(
      std::filesystem::exists(project.root() / ".agents/workspaces" / run / "look/forbidden.txt"));
}

}  // namespace
}  // namespace wave::test
