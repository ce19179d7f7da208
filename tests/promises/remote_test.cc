// The command line against a server, as far as no server is needed.
#include <gtest/gtest.h>

#include "support/wave.h"

namespace wave::test {
namespace {

constexpr const char* kToken = "token-0123456789abcdef0123456789";

TEST(Promises, G10_TheTokenOfTheCommandLineReachesNoAgentAndNoLog) {
  const Project project;
  project.pipeline("spy", "  - {id: a, type: command, script: \"env\"}\n");
  const Exit exit = wave(project, {"run", "spy"}, {{"WAVE_TOKEN", kToken}});
  EXPECT_EQ(exit.code, 0) << exit.err;
  EXPECT_FALSE(exit.out.contains(kToken));
  const std::string run = newest_run(project).value_or("");
  const Exit logs = wave(project, {"logs", run, "--json"});
  ASSERT_TRUE(logs.out.contains("PATH=")) << "the agent's environment is in the log";
  EXPECT_FALSE(logs.out.contains("WAVE_TOKEN")) << logs.out;
  EXPECT_FALSE(logs.out.contains(kToken));
}

TEST(Promises, O6_AServerThatIsNotThereHasAnExitCodeOfItsOwn) {
  const Project project;
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"status"}, {"run", "p"}, {"logs", "r"}, {"cancel", "r"}, {"gate"}, {"resume", "r"}}) {
    const Exit exit = wave(project, command, {{"WAVE_SERVER", "http://127.0.0.1:1"}});
    EXPECT_EQ(exit.code, 7) << command[0] << ": " << exit.err;
    EXPECT_TRUE(exit.err.contains("server_unreachable")) << exit.err;
  }
  EXPECT_EQ(wave(project, {"clean", "--all", "--server", "http://127.0.0.1:1"}).code, 2);
  EXPECT_EQ(wave(project, {"status", "--server", "not an address"}).code, 2);
}

}  // namespace
}  // namespace wave::test
