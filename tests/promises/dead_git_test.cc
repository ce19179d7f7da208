// Q4: a git that the dead server left at work does not get in the way of the next one.
#include <gtest/gtest.h>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

/// A git whose first checkout writes into the worktree for as long as it lives.
std::string endless_git(const Project& project, const std::string& real_path) {
  const std::string once = (project.root() / "at-work").native();
  return "#!/bin/sh\nPATH='" + real_path + "'\ncase \" $* \" in *' reset '*)\n  if mkdir '" + once +
         "' 2>/dev/null; then\n    i=0\n    while [ $i -lt 1200 ]; do i=$((i+1)); mkdir -p "
         "\"$GIT_WORK_TREE/late\"; echo x > \"$GIT_WORK_TREE/late/$i\"; sleep 0.02; done\n  "
         "fi;;\nesac\nexec git \"$@\"\n";
}

TEST(Promises, Q4_TheGitOfADeadServerIsEndedBeforeItsRunGoesOn) {
  const Project project;
  const std::string path = project.environment().at("PATH");
  project.write("bin/git", endless_git(project, path));
  std::filesystem::permissions(project.root() / "bin/git", std::filesystem::perms::all);
  project.pipeline(
      "wt",
      "  - {id: a, type: command, workspace: {type: worktree}, script: \"echo x > new.txt; ls late "
      "2>/dev/null || true\"}\n");
  Server server(project, {}, {{"PATH", (project.root() / "bin").native() + ":" + path}});
  const std::string run = server.submit(json::object{{"pipeline", "wt"}});
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(project.root() / "at-work"); }));
  server.kill();
  EXPECT_FALSE(processes_with("WAVE_GIT=" + run).empty()) << "nothing was left at work";
  const Server next(project);
  next.wait_for_status(run, "completed");
  EXPECT_TRUE(processes_with("WAVE_GIT=" + run).empty());
  const auto log = events(project, run);
  EXPECT_EQ(count_events(log, "step_retrying"), 0u);
  EXPECT_EQ(count_events(log, "stream_activity"), 0u) << "the worktree was not made anew";
}

}  // namespace
}  // namespace wave::test
