// A machine that is short of something: it is waited out or refused as such, and never taken for
// absence (promise O11).
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/descriptors.h"
#include "support/sanitized.h"
#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

std::string until_there(const std::filesystem::path& file) {
  return fmt::format(
      "  - id: a\n    type: command\n    script: |\n      while [ ! -e '{}' ]; do sleep 0.05; "
      "done\n",
      file.native());
}

int change_queue(const Server& server, int max_concurrent) {
  return request(server.port(), "PATCH", "/api/queue", {{"Content-Type", "application/json"}},
                 dump_json(json::object{{"max_concurrent", max_concurrent}}))
      .status;
}

TEST(Promises, O11_WithoutDescriptorsQueuedRunsWaitAndSubmitsAreRefusedAsSuch) {
  // UBSan looks at memory through pipes: without descriptors it takes every object for a wrong one.
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer needs descriptors of its own";
  const Project project;
  project.pipeline("hold", until_there(project.root() / "go"));
  project.pipeline("quick", "  - {id: a, type: command, script: \"echo x > new.txt\"}\n");
  Server server(project, {"--max-concurrent", "1"});
  std::vector<std::string> runs{server.submit({{"pipeline", "hold"}})};
  wait_for_event(project, runs.front(), "step_started", "a");
  for (int i = 0; i < 5; ++i) runs.push_back(server.submit({{"pipeline", "quick"}}));
  project.pipeline("new", "  - {id: a, type: command, script: \"echo new\"}\n");
  {
    const FewDescriptors few(server.program().pid(), 1);  // for the connection
    const Answer refused = server.post("/api/runs", json::object{{"pipeline", "new"}});
    EXPECT_EQ(refused.status, 503) << refused.body;
    EXPECT_EQ(get_string(refused.object(), "code"), "out_of_resources") << refused.body;
    // A descriptor that was in use when the limit was set may be free by now: refused, or whole.
    const Answer list = server.get("/api/pipelines");
    if (list.status != 503)
      EXPECT_EQ(get_array(list.object(), "pipelines").size(), 3U) << list.body;
    // There are slots now, and nothing to take a run up with.
    EXPECT_EQ(change_queue(server, 6), 200);
    EXPECT_TRUE(wait_until([&] {
      return server.program().err().contains("cannot be taken up yet");
    })) << server.program().err();
  }
  project.write("go", "go");
  for (const std::string& run : runs) {
    server.wait_for_status(run, "completed");
    expect_sound(events(project, run));
  }
  server.wait_for_status(server.submit({{"pipeline", "new"}}), "completed");
  EXPECT_EQ(server.stop().code, 0);
}

TEST(Promises, O11_AGitThatGetsNoProcessesIsTriedAgain) {
  const Project project;
  project.pipeline(
      "tree",
      "  - {id: a, type: command, workspace: {type: worktree}, script: \"echo x > new.txt\"}\n");
  const auto programs = project.root() / ".agents/programs";
  project.write(
      ".agents/programs/git",
      fmt::format("#!/bin/sh\nif [ -e '{0}/short' ]; then\n"
                  "  echo 'fatal: cannot create thread: Resource temporarily unavailable' >&2\n"
                  "  exit 128\nfi\nPATH=${{PATH#*:}} exec git \"$@\"\n",
                  programs.native()));
  std::filesystem::permissions(programs / "git", std::filesystem::perms::owner_all);
  const std::string path = programs.native() + ":" + project.environment().at("PATH");
  Server server(project, {}, {{"PATH", path}});
  project.write(".agents/programs/short", "");
  const std::string run = server.submit({{"pipeline", "tree"}});
  const json::object warning = wait_for_event(project, run, "warning_raised", "a");
  EXPECT_EQ(get_string(warning, "code"), "out_of_resources");
  std::filesystem::remove(programs / "short");
  server.wait_for_status(run, "completed");
  EXPECT_EQ(count_events(events(project, run), "step_retrying"), 0U);
}

TEST(Promises, O11_TheServerTakesAllTheDescriptorsThereAreAndAgentsGetWhatWasGiven) {
  rlimit given{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &given), 0);
  const rlimit few{.rlim_cur = 512, .rlim_max = given.rlim_max};
  if (given.rlim_max <= 512) GTEST_SKIP() << "no more descriptors are allowed here";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const Project project;
  project.pipeline("limit", "  - {id: a, type: command, script: \"ulimit -Sn\"}\n");
  Server server(project);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &given), 0);
  rlimit has{};
  ASSERT_EQ(::prlimit(server.program().pid(), RLIMIT_NOFILE, nullptr, &has), 0);
  EXPECT_EQ(has.rlim_cur, std::min<rlim_t>(given.rlim_max, 1 << 20));
  const std::string run = server.submit({{"pipeline", "limit"}});
  server.wait_for_status(run, "completed");
  const Answer output = server.get("/api/runs/" + run + "/steps/a/output");
  EXPECT_TRUE(output.body.contains("512")) << output.body;
}

TEST(Promises, O11_TooFewDescriptorsToStartWithAreRefusedWithTheNumberThatIsNeeded) {
  const Project project;
  const Exit refused = run(
      {"/bin/sh", "-c", "ulimit -n 100; exec \"$@\"", "sh", WAVE_BINARY, "serve", "--port", "0"},
      project.root(), project.environment());
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_TRUE(refused.err.contains("needs 128 ")) << refused.err;
}

}  // namespace
}  // namespace wave::test
