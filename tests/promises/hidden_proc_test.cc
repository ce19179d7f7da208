// S: steps where /proc does not show them. Not visible is not gone: nothing is started a second
// time beside the first.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/text.h"
#include "support/server.h"
#include "support/shim.h"
#include "support/wave.h"

namespace wave::test {
namespace {

/// Says when it starts and whether another one is at work; ends when the file `go` is there.
constexpr std::string_view kOnce =
    "  - id: a\n    type: command\n    script: |\n"
    "      cd ../../../..\n"
    "      exec 9> busy\n      flock -n 9 || echo twice >> twice\n"
    "      echo start >> starts\n      echo up\n"
    "      while [ ! -e go ]; do [ -e say ] && rm say && echo said; sleep 0.02; done\n";

size_t starts(const Project& project) {
  return split(std::string(trim(project.read("starts"))), '\n').size();
}

void expect_one_start(const Project& project, const std::string& run) {
  EXPECT_EQ(starts(project), 1u);
  EXPECT_FALSE(std::filesystem::exists(project.root() / "twice"));
  EXPECT_EQ(count_events(events(project, run), "step_interrupted", "a"), 0u);
}

TEST(Promises, S2_WhatAnEmptyProcDoesNotShowIsNotStartedAgain) {
  const Project project;
  project.pipeline("once", kOnce);
  const auto owner = start_wave(project, {"run", "once"}, with_shim("hidden_proc"));
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "a");
  project.write("go", "");
  const Exit exit = owner->wait();
  EXPECT_EQ(exit.code, 0) << exit.err;
  expect_one_start(project, run);
}

TEST(Promises, S1_TheNextOwnerFollowsWhatAnEmptyProcDoesNotShow) {
  const Project project;
  project.pipeline("once", kOnce);
  std::string run;
  {
    const auto owner = start_wave(project, {"run", "once"}, with_shim("hidden_proc"));
    run = wait_for_run(project);
    wait_for_event(project, run, "stream_activity", "a");
    owner->signal(SIGKILL);
    owner->wait();
  }
  const auto next = start_wave(project, {"resume", run}, with_shim("hidden_proc"));
  project.write("say", "");
  ASSERT_TRUE(
      wait_until([&] { return count_events(events(project, run), "stream_activity", "a") == 2; }));
  project.write("go", "");
  EXPECT_EQ(next->wait().code, 0);
  expect_one_start(project, run);
}

TEST(Promises, Q5_ACancelNeedsNoProc) {
  const Project project;
  project.pipeline("once", kOnce);
  const Server server(project, {}, with_shim("hidden_proc"));
  const std::string run = server.submit({{"pipeline", "once"}});
  wait_for_event(project, run, "stream_activity", "a");
  EXPECT_EQ(server.post("/api/runs/" + run + "/cancel", json::object{}).status, 200);
  server.wait_for_status(run, "cancelled");
  EXPECT_TRUE(wait_until([&] { return agents_of(run).empty(); }));
  expect_one_start(project, run);
}

// The host is gone and its program is not: it is ended first, by its group.
TEST(Promises, S2_AProgramWithoutHostIsEndedBeforeItsStepRunsAgain) {
  const Project project;
  project.pipeline("once", kOnce);
  const auto owner = start_wave(project, {"run", "once"}, with_shim("hidden_proc"));
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "a");
  const auto meta = parsed(project.read(".agents/state/runs/" + run + "/a.1.1/meta"));
  ::kill(static_cast<pid_t>(get_int(meta.as_object(), "host_pid")), SIGKILL);
  ASSERT_TRUE(wait_until([&] { return starts(project) == 2; }));
  project.write("go", "");
  EXPECT_EQ(owner->wait().code, 0);
  EXPECT_FALSE(std::filesystem::exists(project.root() / "twice"));
}

TEST(Promises, S3_AProcOfAnotherPidNamespaceIsTranslated) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root makes pid namespaces";
  const Project project;
  project.pipeline("once", std::string(kOnce) + "      setsid sh -c 'sleep 600' &\n");
  std::map<std::string, std::string> environment = project.environment();
  // Without --mount-proc: /proc stays that of the namespace around it.
  Program owner({"unshare", "--pid", "--fork", WAVE_BINARY, "run", "once"}, project.root(),
                environment);
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "a");
  project.write("go", "");
  const Exit exit = owner.wait();
  EXPECT_EQ(exit.code, 0) << exit.err;
  expect_one_start(project, run);
  const json::object exited = wait_for_event(project, run, "agent_exited", "a");
  EXPECT_FALSE(exited.contains("leaked"));
  // It is found and ended at the end of its step, and not only with the namespace.
  EXPECT_LT(get_int(exited, "duration_ms"), 600'000);
}

TEST(Promises, S2_WhereNothingTellsWhatLivesNothingStarts) {
  const Project project;
  project.pipeline("once", kOnce);
  const auto blind = with_shim("hidden_proc", {{"SHIM_NO_LOCKS", "1"}});
  for (const char* command : {"run", "serve"}) {
    std::vector<std::string> arguments = {command};
    if (arguments[0] == "run") arguments.emplace_back("once");
    const Exit refused = wave(project, arguments, blind);
    EXPECT_NE(refused.code, 0);
    EXPECT_TRUE(refused.err.contains("cannot tell which agents run")) << refused.err;
    EXPECT_TRUE(refused.err.contains("mount /proc")) << refused.err;
  }
  EXPECT_FALSE(std::filesystem::exists(project.root() / "starts"));
}

TEST(Promises, S2_DoctorSaysWhatProcShows) {
  const Project project;
  const auto finding = [&](const std::map<std::string, std::string>& environment) {
    const Exit exit = wave(project, {"doctor", "-o", "json"}, environment);
    const json::value report = parsed(exit.out);
    for (const json::value& one : get_array(report.as_object(), "results")) {
      if (get_string(one.as_object(), "name") == "processes") {
        return std::string(get_string(one.as_object(), "status"));
      }
    }
    return std::string("none");
  };
  EXPECT_EQ(finding({}), "ok");
  EXPECT_EQ(finding(with_shim("hidden_proc")), "warning");
  EXPECT_EQ(finding(with_shim("hidden_proc", {{"SHIM_NO_LOCKS", "1"}})), "error");
}

}  // namespace
}  // namespace wave::test
