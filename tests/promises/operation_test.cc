// O: operation.
#include <gtest/gtest.h>

#include <csignal>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

TEST(Promises, O6_EveryErrorHasACodeAPlaceAndARemedy) {
  const Project project;
  project.pipeline("typo", "  - id: one\n    type: command\n    scirpt: \"true\"\n");
  const Exit text = wave(project, {"run", "typo"});
  EXPECT_EQ(text.code, 3);
  EXPECT_TRUE(text.err.contains("typo.yaml:7:5")) << text.err;
  EXPECT_TRUE(text.err.contains("script")) << text.err;
  const Exit machine = wave(project, {"run", "typo", "--json"});
  EXPECT_EQ(machine.code, 3);
  const json::value error = parsed(machine.err);
  const json::object& inner = get_object(error.as_object(), "error");
  EXPECT_EQ(get_string(inner, "code"), "invalid_pipeline");
  EXPECT_FALSE(get_string(inner, "message").empty());
  EXPECT_TRUE(machine.err.contains("did you mean")) << machine.err;
}

TEST(Promises, O6_ExitCodesSayWhatHappened) {
  const Project project;
  project.pipeline("well", "  - {id: a, type: command, script: \"true\"}\n");
  project.pipeline("badly", "  - {id: a, type: command, script: \"false\"}\n");
  project.pipeline(
      "rejected",
      "  - id: a\n    type: command\n    script: \"true\"\n"
      "    handover: {contract: {type: test_suite, command: \"false\", on_failure: rejected}}\n");
  EXPECT_EQ(wave(project, {"run", "well"}).code, 0);
  EXPECT_EQ(wave(project, {"run", "badly"}).code, 1);
  EXPECT_EQ(wave(project, {"run", "well", "--no-such-flag"}).code, 2);
  EXPECT_EQ(wave(project, {"status", "no-such-run"}).code, 2);
  EXPECT_EQ(wave(project, {"run", "rejected"}).code, 4);
  project.write("wave.yaml", "a: [");
  EXPECT_EQ(wave(project, {"run", "well"}).code, 3);
}

TEST(Promises, O8_TwoOwnersOfOneRunAreImpossible) {
  const Project project;
  project.pipeline("long", "  - {id: a, type: command, script: \"echo ready; sleep 600\"}\n");
  const auto owner = start_wave(project, {"run", "long"});
  const std::string run = wait_for_run(project);
  wait_for_event(project, run, "stream_activity", "a");
  const Exit second = wave(project, {"resume", run});
  EXPECT_EQ(second.code, 5) << second.err;
  EXPECT_TRUE(second.err.contains("run_locked")) << second.err;
  EXPECT_EQ(wave(project, {"cancel", run}).code, 0);
  EXPECT_EQ(owner->wait().code, 8);
}

TEST(Promises, O7_RetentionKeepsTheNewestRuns) {
  const Project project;
  project.manifest_append("  retention: {max_runs: 2}\n");
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  std::vector<std::string> runs;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(wave(project, {"run", "quick"}).code, 0);
    runs.push_back(newest_run(project).value_or(""));
  }
  EXPECT_EQ(status(project, runs[3]), "completed");
  EXPECT_EQ(status(project, runs[2]), "completed");
  for (int i = 0; i < 2; ++i) {
    const Exit gone = wave(project, {"status", runs[i]});
    EXPECT_TRUE(gone.err.contains("pruned")) << gone.out << gone.err;
    EXPECT_FALSE(std::filesystem::exists(project.root() / ".agents/workspaces" / runs[i]));
  }
}

/// Runs that print 3 MB into a database that is then larger than 2 MiB.
struct Flooded {
  Flooded() {
    project.pipeline("flood",
                     "  - {id: talk, persona: worker, exec: {type: prompt, source: talk}}\n");
    project.script("talk",
                   "- repeat: {times: 1500, actions: [{say: " + std::string(1'900, 'x') + "}]}\n");
    EXPECT_EQ(wave(project, {"run", "flood"}).code, 0);
    EXPECT_GT(size(), 2U << 20);
  }
  [[nodiscard]] uintmax_t size() const { return std::filesystem::file_size(database); }

  const Project project;
  const std::filesystem::path database = project.root() / ".agents/state/wave.db";
};

TEST(Promises, O7_CleanGivesTheSpaceBack) {
  const Flooded flooded;
  const auto before = flooded.size();
  EXPECT_EQ(wave(flooded.project, {"clean", "--all", "--force"}).code, 0);
  EXPECT_LT(flooded.size(), before / 4);
}

TEST(Promises, O7_CleanGivesTheSpaceBackBesideAServer) {
  const Flooded flooded;
  const auto before = flooded.size();
  Server server(flooded.project);
  EXPECT_EQ(wave(flooded.project, {"clean", "--all", "--force"}).code, 0);
  server.stop();  // what was written is in the database then
  EXPECT_LT(flooded.size(), before / 4);
}

TEST(Promises, O7_CleanRemovesTerminalRunsOnly) {
  const Project project;
  project.pipeline("quick", "  - {id: a, type: command, script: \"true\"}\n");
  project.pipeline("long", "  - {id: a, type: command, script: \"echo ready; sleep 600\"}\n");
  ASSERT_EQ(wave(project, {"run", "quick"}).code, 0);
  const std::string gone = newest_run(project).value_or("");
  const auto owner = start_wave(project, {"run", "long"});
  std::string live;
  ASSERT_TRUE(wait_until([&] { return (live = newest_run(project).value_or("")) != gone; }));
  wait_for_event(project, live, "stream_activity", "a");
  EXPECT_EQ(wave(project, {"clean", "--all", "--force"}).code, 0);
  const Exit pruned = wave(project, {"status", gone});
  EXPECT_EQ(pruned.code, 2);
  EXPECT_TRUE(pruned.err.contains("pruned")) << pruned.err;
  EXPECT_FALSE(std::filesystem::exists(project.root() / ".agents/workspaces" / gone));
  EXPECT_EQ(status(project, live), "running");
  EXPECT_EQ(wave(project, {"cancel", live, "--force"}).code, 0);
  EXPECT_EQ(owner->wait().code, 8);
}

}  // namespace
}  // namespace wave::test
