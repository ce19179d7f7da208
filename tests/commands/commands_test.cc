// Commands of the command line that are about a project rather than a run.
#include <gtest/gtest.h>

#include <csignal>

#include "base/text.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;

// --- wave init ---

void make_empty(const Project& project) {
  fs::remove(project.root() / "wave.yaml");
  fs::remove_all(project.root() / ".agents");
}

class Init : public testing::TestWithParam<std::string> {};

TEST_P(Init, WritesAProjectThatValidates) {
  const Project project;
  make_empty(project);
  project.write("go.mod", "module example.org/thing\n");
  const Exit init = wave(project, {"init", "--adapter", GetParam(), "--json"});
  ASSERT_EQ(init.code, 0) << init.err;
  const json::value answer = parsed(init.out);
  EXPECT_EQ(get_string(answer.as_object(), "flavour"), "go");
  for (const json::value& file : get_array(answer.as_object(), "files"))
    EXPECT_TRUE(fs::exists(project.root() / std::string(file.as_string()))) << file;
  EXPECT_TRUE(project.read("wave.yaml").contains("go test"));

  const Exit validate = wave(project, {"validate", "--strict"});
  EXPECT_EQ(validate.code, 0) << validate.out << validate.err;
  for (const char* pipeline : {"implement", "review", "explain"}) {
    const Exit plan = wave(project, {"run", pipeline, "--dry-run", "--input", "x"});
    EXPECT_EQ(plan.code, 0) << pipeline << plan.err;
  }
  EXPECT_EQ(project.git({"status", "--porcelain", ".agents/state"}).out, "");
}

TEST_P(Init, ReplacesNothingUnasked) {
  const Project project;
  const std::string before = project.read("wave.yaml");
  const Exit refused = wave(project, {"init", "--adapter", GetParam()});
  EXPECT_EQ(refused.code, 5) << refused.err;
  EXPECT_TRUE(refused.err.contains("--force")) << refused.err;
  EXPECT_EQ(project.read("wave.yaml"), before);
  EXPECT_FALSE(fs::exists(project.root() / ".agents/pipelines/implement.yaml")) << "half done";
  EXPECT_EQ(wave(project, {"init", "--adapter", GetParam(), "--force", "--yes"}).code, 0);
  EXPECT_EQ(wave(project, {"validate", "--strict"}).code, 0);
}

INSTANTIATE_TEST_SUITE_P(Adapters, Init, testing::Values("claude", "scripted"),
                         [](const auto& adapter) { return adapter.param; });

TEST(InitScripted, ItsPipelinesRunWithoutAnAccount) {
  const Project project;
  make_empty(project);
  ASSERT_EQ(wave(project, {"init", "--adapter", "scripted"}).code, 0);
  const Exit run = wave(project, {"run", "explain", "how does it work?"});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  const Exit again = wave(project, {"run", "implement", "something"});
  EXPECT_EQ(again.code, 0) << again.out << again.err;
}

TEST(Init, AnUnknownAdapterIsRefused) {
  const Project project;
  make_empty(project);
  const Exit init = wave(project, {"init", "--adapter", "clade"});
  EXPECT_EQ(init.code, 2) << init.err;
  EXPECT_FALSE(fs::exists(project.root() / "wave.yaml"));
}

// --- wave do ---

struct Doing {
  Project project;
  Doing() {
    make_empty(project);
    EXPECT_EQ(wave(project, {"init", "--adapter", "scripted"}).code, 0);
  }
};

TEST(Do, LooksThenActs) {
  const Doing doing;
  const Exit done = wave(doing.project, {"do", "fix the typo: {{ project.name }} $(id)"});
  EXPECT_EQ(done.code, 0) << done.out << done.err;
  const std::string run = newest_run(doing.project).value_or("");
  EXPECT_TRUE(run.starts_with("do-")) << run;
  const auto log = events(doing.project, run);
  EXPECT_EQ(count_events(log, "step_completed", "look"), 1u);
  EXPECT_EQ(count_events(log, "step_completed", "act"), 1u);
  bool task_is_input = false;
  for (const json::object& event : log) {
    if (get_string(event, "event") != "run_queued") continue;
    task_is_input =
        get_string(get_object(event, "options"), "input").contains("{{ project.name }}");
  }
  EXPECT_TRUE(task_is_input) << "what was typed is a value and nothing else";
  expect_sound(log);
}

TEST(Do, ADryRunStartsNothing) {
  const Doing doing;
  const Exit plan = wave(doing.project, {"do", "--dry-run", "rename", "the", "module"});
  EXPECT_EQ(plan.code, 0) << plan.err;
  EXPECT_TRUE(plan.out.contains("look")) << plan.out;
  EXPECT_FALSE(newest_run(doing.project).has_value());
}

TEST(Do, NamesWhatIsWrong) {
  const Doing doing;
  const Exit nobody = wave(doing.project, {"do", "--persona", "craftman", "x"});
  EXPECT_EQ(nobody.code, 2);
  EXPECT_TRUE(nobody.err.contains("craftsman")) << nobody.err;
  EXPECT_EQ(wave(doing.project, {"do", " "}).code, 2);
  EXPECT_EQ(wave(doing.project, {"do"}).code, 2);
}

// --- wave doctor ---

std::string finding(const Exit& doctor, const std::string& name) {
  const json::value answer = parsed(doctor.out);
  for (const json::value& one : get_array(answer.as_object(), "results")) {
    if (get_string(one.as_object(), "name") == name)
      return std::string(get_string(one.as_object(), "status"));
  }
  return "not told";
}

TEST(Doctor, FindsAHealthyProjectHealthy) {
  const Project project;
  project.pipeline("one", "  - {id: a, type: command, script: \"true\"}\n");
  ASSERT_EQ(wave(project, {"run", "one"}).code, 0);
  const Exit doctor = wave(project, {"doctor", "--json"});
  EXPECT_EQ(doctor.code, 0) << doctor.out << doctor.err;
  for (const char* name : {"manifest", "git", "adapter scripted", "database", "disk", "runs"})
    EXPECT_EQ(finding(doctor, name), "ok") << name << doctor.out;
  EXPECT_TRUE(wave(project, {"doctor"}).out.contains("0 errors"));
}

TEST(Doctor, NamesWhatIsMissing) {
  const Project project;
  make_empty(project);
  ASSERT_EQ(wave(project, {"init", "--adapter", "claude"}).code, 0);
  // Neither git nor claude is to be found, and the manifest is broken.
  project.manifest_append("  no_such_key: 1\n");
  const Exit doctor = wave(project, {"doctor", "--json"}, {{"PATH", "/nowhere"}});
  EXPECT_EQ(doctor.code, 1) << doctor.out << doctor.err;
  for (const char* name : {"manifest", "git", "adapter claude"})
    EXPECT_EQ(finding(doctor, name), "error") << name << doctor.out;
}

TEST(Doctor, TellsOfRunsWithoutAnOwner) {
  const Project project;
  project.pipeline("ask", "  - id: ask\n    gate: {type: approval, prompt: \"?\"}\n");
  const auto owner = start_wave(project, {"run", "ask"});
  wait_for_event(project, wait_for_run(project), "gate_waiting", "ask");
  owner->signal(SIGKILL);
  owner->wait();
  const Exit doctor = wave(project, {"doctor", "--json"});
  EXPECT_EQ(finding(doctor, "runs"), "warning") << doctor.out;
}

// --- what keeps a pipeline from running ---

TEST(Run, TellsOfEverythingThatIsWrongOnce) {
  const Project project;
  project.pipeline("wrong",
                   "  - {id: a, type: command, script: \"true\", dependencies: [nobody]}\n"
                   "  - {id: b, type: command, scirpt: \"true\"}\n");
  for (const char* flag : {"--detach", "--dry-run"}) {
    const Exit exit = wave(project, {"run", "wrong", flag});
    EXPECT_EQ(exit.code, 3) << flag << exit.err;
    for (const char* wanted : {"nobody", "scirpt"}) {
      EXPECT_TRUE(exit.err.contains(wanted)) << flag << exit.err;
    }
    EXPECT_EQ(exit.err.find("wrong.yaml:5:59"), exit.err.rfind("wrong.yaml:5:59"))
        << flag << exit.err;
    const Exit machine = wave(project, {"run", "wrong", flag, "--json"});
    const json::value error = parsed(machine.err);
    EXPECT_FALSE(get_array(get_object(error.as_object(), "error"), "errors").empty()) << flag;
  }
  EXPECT_FALSE(newest_run(project).has_value());
}

TEST(Run, WhatIsNotCarriedOutYetIsSaidAsThat) {
  const Project project;
  project.pipeline("well", "  - {id: a, type: command, script: \"true\"}\n");
  project.pipeline("later", "  - {id: a, pipeline: well}\n");
  for (const char* flag : {"--detach", "--dry-run"}) {
    const Exit exit = wave(project, {"run", "later", flag, "--json"});
    EXPECT_EQ(exit.code, 3) << flag;
    const json::value error = parsed(exit.err);
    EXPECT_EQ(get_string(get_object(error.as_object(), "error"), "code"), "unsupported") << flag;
  }
}

// --- requires ---

TEST(Requires, AProgramThatIsNotThereIsRefusedAtEveryDoor) {
  const Project project;
  const auto write = [&](const std::string& tool) {
    project.write(".agents/pipelines/needs.yaml",
                  "kind: WavePipeline\nrequires:\n  tools:\n    - git\n    - " + tool +
                      "\nsteps:\n  - {id: a, type: command, script: \"true\"}\n");
  };
  write("no-such-program-xyz");
  const std::vector<std::vector<std::string>> doors{{"validate", "needs"},
                                                    {"validate"},
                                                    {"run", "needs", "--dry-run"},
                                                    {"run", "needs"},
                                                    {"run", "needs", "--detach"}};
  for (const auto& door : doors) {
    const Exit refused = wave(project, door);
    const std::string said = refused.out + refused.err;
    EXPECT_EQ(refused.code, 3) << testing::PrintToString(door) << said;
    EXPECT_TRUE(said.contains("no program \"no-such-program-xyz\"")) << said;
    EXPECT_TRUE(said.contains("needs.yaml:5:")) << said;
    EXPECT_TRUE(said.contains("install it")) << said;
  }
  {
    Server server(project);
    for (const bool dry : {false, true}) {
      const Answer answer =
          server.post("/api/runs", json::object{{"pipeline", "needs"}, {"dry_run", dry}});
      EXPECT_EQ(answer.status, 422) << answer.body;
      EXPECT_TRUE(answer.body.contains("no-such-program-xyz")) << answer.body;
    }
    EXPECT_TRUE(server.get("/api/pipelines/needs").body.contains("no-such-program-xyz"));
    write("sh");
    EXPECT_EQ(server.post("/api/runs", json::object{{"pipeline", "needs"}}).status, 201);
  }
  EXPECT_EQ(wave(project, {"validate", "needs"}).code, 0);
}

// --- wave clean ---

TEST(Clean, TwoAtTheSameTimeBothSucceed) {
  const Project project;
  project.pipeline("well", "  - {id: a, type: command, script: \"true\"}\n");
  for (int i = 0; i < 8; ++i) ASSERT_EQ(wave(project, {"run", "well", "-q"}).code, 0);
  const auto one = start_wave(project, {"clean", "--all", "--force"});
  const auto two = start_wave(project, {"clean", "--all", "--force"});
  for (const auto& clean : {one.get(), two.get()}) {
    const Exit ended = clean->wait();
    EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
  }
  EXPECT_FALSE(newest_run(project).has_value());
}

TEST(Clean, NamesItsOwnOptionWhereThereIsNobodyToAsk) {
  const Project project;
  project.pipeline("well", "  - {id: a, type: command, script: \"true\"}\n");
  ASSERT_EQ(wave(project, {"run", "well", "-q"}).code, 0);
  const Exit clean = wave(project, {"clean", "--all"});
  EXPECT_EQ(clean.code, 2);
  EXPECT_TRUE(clean.err.contains("--force")) << clean.err;
  EXPECT_FALSE(clean.err.contains("--yes")) << clean.err;
}

// --- exit codes ---

TEST(ExitCodes, EachSaysWhatHappened) {
  const Project project;
  project.pipeline("well", "  - {id: a, type: command, script: \"true\"}\n");
  project.pipeline("badly", "  - {id: a, type: command, script: \"false\"}\n");
  project.pipeline("rejected",
                   "  - id: a\n    type: command\n    script: \"true\"\n    handover: {contract: "
                   "{type: test_suite, command: \"false\", on_failure: rejected}}\n");
  project.pipeline("broken", "  - {id: a, type: command, script: \"true\", dependencies: [b]}\n");
  project.pipeline("later", "  - {id: a, pipeline: well}\n");
  const auto code = [&](std::vector<std::string> arguments) {
    return wave(project, std::move(arguments)).code;
  };
  EXPECT_EQ(code({"run", "well"}), 0);
  const std::string ended = newest_run(project).value_or("");
  EXPECT_EQ(code({"run", "badly"}), 1);
  EXPECT_EQ(code({"run"}), 2) << "more than one pipeline";
  EXPECT_EQ(code({"run", "nothing"}), 2);
  EXPECT_EQ(code({"rum"}), 2);
  EXPECT_EQ(code({"run", "broken"}), 3);
  EXPECT_EQ(code({"run", "later"}), 3) << "not carried out yet";
  EXPECT_EQ(code({"run", "rejected"}), 4);
  EXPECT_EQ(code({"cancel", ended}), 5);
  EXPECT_EQ(code({"validate"}), 3) << "broken is one of them";
  EXPECT_EQ(code({"validate", "broken"}), 3);
  EXPECT_EQ(code({"validate", "nosuch"}), 2);
  EXPECT_EQ(code({"gate", ended, "nosuch", "-c", "y"}), 2);
  EXPECT_EQ(code({"version"}), 0);
  EXPECT_EQ(code({"run", "--help"}), 0);
}

TEST(ExitCodes, AStoreThatCannotBeReadIsSix) {
  const Project project;
  project.pipeline("well", "  - {id: a, type: command, script: \"true\"}\n");
  project.write(".agents/state/wave.db", std::string(8192, 'x'));
  const Exit exit = wave(project, {"run", "well"});
  EXPECT_EQ(exit.code, 6) << exit.err;
  EXPECT_EQ(project.read(".agents/state/wave.db"), std::string(8192, 'x')) << "touched";
}

TEST(ExitCodes, CancelledIsEightAndInterruptedIs130) {
  const Project project;
  project.pipeline("long", "  - {id: a, type: command, script: \"echo ready; sleep 600\"}\n");
  auto owner = start_wave(project, {"run", "long"});
  std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "a");
  EXPECT_EQ(wave(project, {"cancel", run}).code, 0);
  EXPECT_EQ(owner->wait().code, 8);

  owner = start_wave(project, {"run", "long"});
  ASSERT_TRUE(wait_until([&] { return newest_run(project).value_or(run) != run; }));
  run = newest_run(project).value_or("");
  wait_for_event(project, run, "stream_activity", "a");
  owner->signal(SIGINT);
  EXPECT_EQ(owner->wait().code, 130);
  EXPECT_EQ(wave(project, {"cancel", run}).code, 0);
}

}  // namespace
}  // namespace wave::test
