// What a parent may leave a program with: closed descriptors, blocked and ignored signals.
#include <gmock/gmock.h>

#include <csignal>

#include "support/server.h"
#include "support/wave.h"

namespace wave::test {
namespace {

using ::testing::AnyOf;

constexpr std::string_view kQuick = "  - {id: a, type: command, script: \"echo said\"}\n";

/// wave started by a shell that redirects as `redirections` say.
std::unique_ptr<Program> start_redirected(const Project& project, const std::string& command,
                                          const std::string& redirections) {
  return std::make_unique<Program>(
      std::vector<std::string>{"/bin/sh", "-c", "exec \"$0\" " + command + " " + redirections,
                               WAVE_BINARY},
      project.root(), project.environment());
}

/// wave started with signals as `env` sets them (--block-signal, --ignore-signal).
std::unique_ptr<Program> start_with_signals(const Project& project,
                                            std::vector<std::string> settings,
                                            std::vector<std::string> arguments) {
  std::vector<std::string> argv{"env"};
  std::ranges::move(settings, std::back_inserter(argv));
  argv.emplace_back(WAVE_BINARY);
  std::ranges::move(arguments, std::back_inserter(argv));
  return std::make_unique<Program>(std::move(argv), project.root(), project.environment());
}

TEST(InheritedState, ClosedDescriptorsAreOpenedBeforeAnythingElse) {
  const Project project;
  project.pipeline("quick", kQuick);
  for (const char* closed : {">&-", "2>&-", "<&-", "<&- >&- 2>&-"}) {
    SCOPED_TRACE(closed);
    EXPECT_EQ(start_redirected(project, "run quick", closed)->wait().code, 0);
    const std::string run = newest_run(project).value_or("");
    EXPECT_EQ(status(project, run), "completed");
    EXPECT_EQ(wave(project, {"clean", "--all", "--force"}).code, 0);
  }
}

TEST(InheritedState, AServerWithClosedDescriptorsCarriesRunsOut) {
  const Project project;
  project.pipeline("quick", kQuick);
  const auto server = start_redirected(project, "serve --json --port 0", "2>&-");
  ASSERT_TRUE(wait_until([&] { return server->out().contains("}\n") || server->ended(); }));
  EXPECT_EQ(wave(project, {"run", "quick", "--detach"}).code, 0);
  EXPECT_TRUE(wait_for_status(project, wait_for_run(project), "completed"));
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait().code, 0);
}

TEST(InheritedState, ARunGoesOnThoughTheParentIgnoredTheEndOfChildren) {
  const Project project;
  project.pipeline("worktree",
                   "  - id: a\n    type: command\n    workspace: {type: worktree, branch: w}\n"
                   "    script: \"echo said > file\"\n");
  const auto run = start_with_signals(project, {"--ignore-signal=CHLD"}, {"run", "worktree"});
  EXPECT_EQ(run->wait().code, 0) << run->err();
}

TEST(InheritedState, AServerEndsThoughTheParentBlockedOrIgnoredTheRequest) {
  for (const char* how : {"--block-signal=TERM", "--ignore-signal=TERM", "--block-signal"}) {
    SCOPED_TRACE(how);
    const Project project;
    const auto server = start_with_signals(project, {how}, {"serve", "--json", "--port", "0"});
    ASSERT_TRUE(wait_until([&] { return server->out().contains("}\n") || server->ended(); }));
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait(kPatience).code, 0) << server->err();
  }
}

TEST(InheritedState, OtherCommandsEndAsWell) {
  const Project project;
  project.pipeline("waits", "  - {id: g, type: gate, gate: {type: approval, message: ok?}}\n");
  ASSERT_EQ(wave(project, {"run", "waits", "--detach"}).code, 0);
  const std::string run = wait_for_run(project);
  const auto follower =
      start_with_signals(project, {"--block-signal"}, {"logs", run, "--follow", "--json"});
  ASSERT_TRUE(wait_until([&] { return follower->out().contains("gate_waiting"); }));
  follower->signal(SIGTERM);
  EXPECT_THAT(follower->wait(kPatience).code, AnyOf(128 + SIGTERM, 130)) << follower->err();
  EXPECT_EQ(wave(project, {"cancel", run}).code, 0);
}

}  // namespace
}  // namespace wave::test
