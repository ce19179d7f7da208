// What a run is started with, in the hands of its programs.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/wave.h"

namespace wave::test {
namespace {

std::string script_step(const std::string& script) {
  return "  - id: a\n    type: command\n    script: |\n      " + script + "\n";
}

TEST(RunInput, IsAVariableAndAFileOfEveryProgramOfAStep) {
  const Project project;
  project.pipeline("p",
                   "  - id: a\n    type: command\n"
                   "    script: |\n"
                   "      printf '%s' \"$WAVE_INPUT\" > seen\n"
                   "      cmp seen \"$WAVE_INPUT_FILE\"\n"
                   "      printf '%s' \"$WAVE_INPUT\"\n"
                   "    handover:\n      contract:\n        type: test_suite\n"
                   "        command: 'cmp seen \"$WAVE_INPUT_FILE\"'\n");
  const std::string input = "it's \"$(touch ../../../../pwned)\" `x`\n; exit 3";
  const Exit run = wave(project, {"run", "p", "--input", input});
  EXPECT_EQ(run.code, 0) << run.out << run.err;
  EXPECT_FALSE(std::filesystem::exists(project.root() / "pwned"));
}

TEST(RunInput, IsAFileOnlyWhenItIsLarge) {
  const Project project;
  project.pipeline("by-file", script_step("test \"$(wc -c < \"$WAVE_INPUT_FILE\")\" -eq 103424"));
  project.pipeline("by-variable", script_step("echo \"$WAVE_INPUT\" | wc -c"));
  const std::string large(101 << 10, 'x');
  const Exit by_file = wave(project, {"run", "by-file", "--input", large});
  EXPECT_EQ(by_file.code, 0) << by_file.out << by_file.err;
  const Exit by_variable = wave(project, {"run", "by-variable", "--input", large});
  EXPECT_NE(by_variable.code, 0);
  EXPECT_TRUE((by_variable.out + by_variable.err).contains("WAVE_INPUT_FILE"))
      << by_variable.out << by_variable.err;
}

// The shell gets one word, and the program that gets the word would run it.
TEST(RunInput, BecomesNoCodeOfAnotherProgram) {
  const Project project;
  for (const char* script : {"sh -c 'echo {{ input }}'", "python3 -c 'print({{ input }})'",
                             "{{ input }} --version", "eval \"$WAVE_INPUT\""}) {
    project.pipeline("p", script_step(script));
    const Exit run = wave(project, {"run", "p", "--input", "$(touch ../../../../pwned)"});
    EXPECT_NE(run.code, 0) << script;
    EXPECT_TRUE(run.err.contains(" becomes the ")) << script << run.out << run.err;
    EXPECT_TRUE(run.err.contains(".agents/pipelines/p.yaml:")) << run.err;
    EXPECT_FALSE(std::filesystem::exists(project.root() / "pwned")) << script;
  }
}

}  // namespace
}  // namespace wave::test
