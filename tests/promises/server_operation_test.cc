// O: operation of a running server.
#include <gmock/gmock.h>

#include <csignal>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::chrono::seconds kPromisedEnd{5};  // the promise's own deadline
constexpr std::string_view kQuick = "  - {id: a, type: command, script: \"true\"}\n";

/// A pipeline `slow` that ends when the file `go` lies in the project, and then takes another step.
void slow_pipeline(const Project& project) {
  project.pipeline("slow", "  - id: a\n    type: command\n    script: |\n      while [ ! -e '" +
                               (project.root() / "go").native() +
                               "' ]; do sleep 0.02; done\n"
                               "  - {id: b, type: command, script: \"true\", dependencies: [a]}\n");
}

std::string start_slow_run(const Project& project, const Server& server) {
  std::string run = server.submit({{"pipeline", "slow"}});
  wait_for_event(project, run, "step_started", "a");
  EXPECT_TRUE(wait_until([&] { return !agents_of(run).empty(); }));
  return run;
}

TEST(Promises, O1_SigtermAndSigintEndTheServerWithNothingLost) {
  for (const int signal : {SIGTERM, SIGINT}) {
    const Project project;
    slow_pipeline(project);
    Server server(project);
    const std::string run = start_slow_run(project, server);
    server.program().signal(signal);
    EXPECT_EQ(server.program().wait(kPromisedEnd).code, 0);
    EXPECT_THAT(agents_of(run), Not(IsEmpty())) << "agents go on";
    project.write("go", "go");
    const Server next(project);
    next.wait_for_status(run, "completed");
    expect_sound(events(project, run));
  }
}

/// A server that was asked to end, and waits for the step of its run.
struct Draining {
  explicit Draining(const Project& project) : server(project, {"--drain-timeout", "10m"}) {
    run = start_slow_run(project, server);
    server.program().signal(SIGTERM);
    EXPECT_TRUE(wait_until([&] { return server.get("/api/health/ready").status == 503; }));
  }
  Server server;
  std::string run;
};

void expect_next_server_ends_it(const Project& project, const std::string& run) {
  const Server next(project);
  next.wait_for_status(run, "completed");
  EXPECT_EQ(count_events(events(project, run), "step_started", "a"), 1U) << "nothing ran twice";
}

TEST(Promises, O1_ADrainLetsStepsEndAndStartsNothingNew) {
  const Project project;
  slow_pipeline(project);
  project.pipeline("quick", kQuick);
  Draining at(project);
  const std::string later = at.server.submit({{"pipeline", "quick"}});
  EXPECT_FALSE(at.server.program().ended());
  project.write("go", "go");
  EXPECT_EQ(at.server.program().wait().code, 0);
  EXPECT_EQ(count_events(events(project, at.run), "step_completed", "a"), 1U);
  EXPECT_EQ(status(project, later), "queued");
  expect_next_server_ends_it(project, at.run);
  const Server next(project);
  next.wait_for_status(later, "completed");
}

TEST(Promises, O1_ASecondSignalEndsTheDrainAtOnce) {
  const Project project;
  slow_pipeline(project);
  Draining at(project);
  at.server.program().signal(SIGTERM);
  EXPECT_EQ(at.server.program().wait(kPromisedEnd).code, 0);
  project.write("go", "go");
  expect_next_server_ends_it(project, at.run);
}

TEST(Promises, O1_StopAgentsEndsThemAndTheNextStartGoesOn) {
  const Project project;
  slow_pipeline(project);
  Server server(project, {"--stop-agents"});
  const std::string run = start_slow_run(project, server);
  EXPECT_EQ(server.stop().code, 0);
  EXPECT_TRUE(wait_until([&] { return agents_of(run).empty(); }));
  EXPECT_EQ(status(project, run), "waiting");
  EXPECT_EQ(count_events(events(project, run), "step_interrupted", "a"), 1U);
  project.write("go", "go");
  const Server next(project);
  next.wait_for_status(run, "completed");
  expect_sound(events(project, run));
}

TEST(Promises, O2_HealthNeedsNoCredentialAndShowsNothing) {
  const Project project;
  project.manifest_append("server:\n  auth:\n    mode: jwt\n    jwt_secret: ${SECRET}\n");
  const std::map<std::string, std::string> environment{
      {"SECRET", "0123456789abcdef0123456789abcdef0123456789abcdef"}};
  const Server server(project, {}, environment);
  EXPECT_EQ(server.get("/api/health").json(), (json::value{{"status", "ok"}}));
  EXPECT_EQ(server.get("/api/health/ready").json(), (json::value{{"status", "ready"}}));
  EXPECT_EQ(server.get("/metrics").status, 401);
  const Exit token = wave(
      project, {"token", "create", "--subject", "ops", "--role", "viewer", "--json"}, environment);
  const json::value made = parsed(token.out);
  const std::map<std::string, std::string> viewer{
      {"authorization", "Bearer " + std::string(get_string(made.as_object(), "token"))}};
  EXPECT_FALSE(get_string(server.get("/api/health", viewer).object(), "version").empty());
  EXPECT_EQ(get_array(server.get("/api/health/ready", viewer).object(), "checks").size(), 3U);
  EXPECT_EQ(server.get("/metrics", viewer).status, 200);
}

TEST(Promises, O7_TheServerRemovesOldRunsAndSaysThatTheyAreGone) {
  const Project project;
  project.pipeline("quick", kQuick);
  std::vector<std::string> runs;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(wave(project, {"run", "quick"}).code, 0);
    runs.push_back(newest_run(project).value_or(""));
  }
  project.manifest_append("  retention: {max_runs: 1}\n");
  const Server server(project);
  for (const std::string& gone : {runs[0], runs[1]}) {
    const std::string path = "/api/runs/" + gone;
    ASSERT_TRUE(wait_until([&] { return server.get(path).status == 410; }));
    EXPECT_EQ(get_string(server.get(path).object(), "code"), "pruned");
    EXPECT_EQ(server.get(path + "/events").status, 410);
  }
  EXPECT_EQ(server.get("/api/runs/" + runs[2]).status, 200);
}

TEST(Promises, O7_WhatEndsWhileTheServerRunsIsRemovedWithinItsFirstMinute) {
  const Project project;
  project.pipeline("quick", kQuick);
  project.manifest_append("  retention: {max_runs: 1}\n");
  const Server server(project);
  std::vector<std::string> runs;
  for (int i = 0; i < 3; ++i) {
    runs.push_back(server.submit({{"pipeline", "quick"}}));
    server.wait_for_status(runs.back(), "completed");
  }
  for (const std::string& gone : {runs[0], runs[1]}) {
    EXPECT_TRUE(wait_until([&] { return server.get("/api/runs/" + gone).status == 410; },
                           std::chrono::minutes(1)));
  }
  EXPECT_EQ(server.get("/api/runs/" + runs[2]).status, 200);
}

}  // namespace
}  // namespace wave::test
