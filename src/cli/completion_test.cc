#include "cli/completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "base/text.h"
#include "cli/test_folder.h"

namespace wave::cli {
namespace {

using ::testing::HasSubstr;

std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  for (char buffer[512]; pipe != nullptr && std::fgets(buffer, sizeof buffer, pipe) != nullptr;) {
    text += buffer;
  }
  if (pipe != nullptr) EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

std::string complete_in_bash(const std::string& words, int cword) {
  const TestFolder folder;
  const fs::path script = folder.path() / "wave.bash";
  EXPECT_TRUE(write_file(script, bash_completion(describe_commands(), describe_global_options())));
  // A wave of the test's own answers what completion asks for.
  EXPECT_TRUE(write_file(folder.path() / "wave", "#!/bin/sh\necho alpha; echo beta\n", 0755));
  const std::string bash = fmt::format(
      "PATH={}:$PATH; source {}; COMP_WORDS=({}); COMP_CWORD={}; _wave; echo \"${{COMPREPLY[*]}}\"",
      folder.path().string(), script.string(), words, cword);
  return std::string(trim(output_of("bash -c " + shell_quote(bash))));
}

TEST(Completion, BashCompletesCommandsOptionsAndValues) {
  EXPECT_EQ(complete_in_bash("wave sta", 1), "status");
  EXPECT_EQ(complete_in_bash("wave run --det", 2), "--detach");
  EXPECT_EQ(complete_in_bash("wave run al", 2), "alpha");
  EXPECT_EQ(complete_in_bash("wave -o json logs b", 4), "beta");
  EXPECT_EQ(complete_in_bash("wave run -o js", 3), "json");
  EXPECT_EQ(complete_in_bash("wave init --adapter s", 3), "scripted");
  EXPECT_EQ(complete_in_bash("wave completion f", 2), "fish");
}

TEST(Completion, EveryVisibleCommandIsInEveryShell) {
  const std::vector<CommandInfo> commands = describe_commands();
  const std::vector<OptionInfo> global = describe_global_options();
  for (const auto& script : {bash_completion(commands, global), zsh_completion(commands, global),
                             fish_completion(commands, global)}) {
    for (const CommandInfo& command : commands) {
      if (command.hidden) {
        EXPECT_THAT(script, testing::Not(HasSubstr(command.name + ")")));
      } else {
        EXPECT_THAT(script, HasSubstr(command.name));
      }
    }
    EXPECT_THAT(script, HasSubstr("wave __complete"));
  }
}

TEST(Completion, ShellsThatAreThereAcceptTheirScript) {
  const TestFolder folder;
  const std::vector<CommandInfo> commands = describe_commands();
  const std::vector<OptionInfo> global = describe_global_options();
  const std::vector<std::pair<std::string, std::string>> scripts{
      {"bash", bash_completion(commands, global)},
      {"zsh", zsh_completion(commands, global)},
      {"fish", fish_completion(commands, global)}};
  for (const auto& [shell, script] : scripts) {
    if (std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) != 0) continue;
    const fs::path file = folder.path() / shell;
    ASSERT_TRUE(write_file(file, script));
    EXPECT_EQ(output_of(shell + " -n " + file.string() + " 2>&1"), "") << shell;
  }
}

}  // namespace
}  // namespace wave::cli
