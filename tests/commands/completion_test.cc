// The completion scripts, loaded by the shells they are for.
#include <gtest/gtest.h>

#include "base/text.h"
#include "support/wave.h"

namespace wave::test {
namespace {

namespace fs = std::filesystem;

bool is_installed(const std::string& shell) {
  return fs::exists("/usr/bin/" + shell) || fs::exists("/bin/" + shell);
}

struct Shell {
  Project project;
  std::string run_id;

  Shell() {
    project.pipeline("first", "  - {id: a, type: command, script: \"true\"}\n");
    project.pipeline("second", "  - {id: a, type: command, script: \"true\"}\n");
    EXPECT_EQ(wave(project, {"run", "first"}).code, 0);
    run_id = newest_run(project).value_or("");
  }
  [[nodiscard]] Exit operator()(std::vector<std::string> argv) const {
    auto environment = project.environment();
    environment["PATH"] = fs::path(WAVE_BINARY).parent_path().native() + ":" + environment["PATH"];
    return run(std::move(argv), project.root(), environment);
  }
};

bool has_line(const std::string& text, const std::string& wanted) {
  for (const std::string& line : split(text, '\n')) {
    if (line == wanted || line.starts_with(wanted + "\t")) return true;
  }
  return false;
}

TEST(Completion, Bash) {
  if (!is_installed("bash")) GTEST_SKIP() << "bash is not installed";
  const Shell shell;
  const auto complete = [&](const std::string& words) {
    const Exit exit = shell({"bash", "--norc", "-c",
                             "source <(wave completion bash) || exit 1\nCOMP_WORDS=(" + words +
                                 ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_wave\n"
                                 "printf '%s\\n' \"${COMPREPLY[@]}\""});
    EXPECT_EQ(exit.code, 0) << exit.err;
    EXPECT_EQ(exit.err, "");
    return exit.out;
  };
  EXPECT_EQ(complete("wave ru"), "run\n");
  EXPECT_TRUE(has_line(complete("wave run ''"), "first"));
  EXPECT_EQ(complete("wave run se"), "second\n");
  EXPECT_EQ(complete("wave -o json run se"), "second\n");
  EXPECT_TRUE(has_line(complete("wave run --dr"), "--dry-run"));
  EXPECT_EQ(complete("wave -o js"), "json\n");
  EXPECT_EQ(complete("wave logs first-"), shell.run_id + "\n");
  const Exit registered =
      shell({"bash", "--norc", "-c", "source <(wave completion bash); complete -p wave"});
  EXPECT_TRUE(registered.out.contains("-F _wave wave")) << registered.out << registered.err;
}

TEST(Completion, Fish) {
  if (!is_installed("fish")) GTEST_SKIP() << "fish is not installed";
  const Shell shell;
  const auto complete = [&](const std::string& line) {
    const Exit exit =
        shell({"fish", "--no-config", "-c",
               "wave completion fish | source; or exit 1\ncomplete -C '" + line + "'"});
    EXPECT_EQ(exit.code, 0) << exit.err;
    EXPECT_EQ(exit.err, "");
    return exit.out;
  };
  EXPECT_TRUE(has_line(complete("wave ru"), "run"));
  EXPECT_TRUE(has_line(complete("wave run "), "first"));
  EXPECT_FALSE(has_line(complete("wave run "), "status")) << "a command where an argument belongs";
  EXPECT_TRUE(has_line(complete("wave run se"), "second"));
  EXPECT_TRUE(has_line(complete("wave run --dr"), "--dry-run"));
  EXPECT_TRUE(has_line(complete("wave -o js"), "json"));
  EXPECT_TRUE(has_line(complete("wave logs first-"), shell.run_id));
}

// In a terminal of its own, as a person has it: types, presses Tab, and looks at the line.
constexpr std::string_view kTypeIntoZsh = R"zsh(
zmodload zsh/zpty || exit 3
zpty terminal zsh -f -i
zpty -w terminal 'PS1=; unsetopt prompt_sp; autoload -U compinit; compinit -D -u'
zpty -w terminal 'source <(wave completion zsh) || print failed > line'
zpty -w terminal 'look() { print -r -- "$BUFFER" > line.new; mv line.new line; BUFFER=; }'
zpty -w terminal 'zle -N look; bindkey "^X" look; print ready > ready'
typeset -i rounds=0
until [[ -e ready ]] || (( ++rounds > 600 )); do zpty -rt terminal said; sleep 0.05; done
zpty -w -n terminal "$1"$'\t\x18'
rounds=0
until [[ -e line ]] || (( ++rounds > 600 )); do zpty -rt terminal said; sleep 0.05; done
zpty -d terminal
cat line
)zsh";

TEST(Completion, Zsh) {
  if (!is_installed("zsh")) GTEST_SKIP() << "zsh is not installed";
  const Shell shell;
  const auto complete = [&](const std::string& typed) {
    for (const char* file : {"line", "ready"}) fs::remove(shell.project.root() / file);
    const Exit exit = shell({"zsh", "-f", "-c", std::string(kTypeIntoZsh), "zsh", typed});
    EXPECT_EQ(exit.code, 0) << exit.out << exit.err;
    return exit.out;
  };
  EXPECT_EQ(complete("wave ru"), "wave run \n");
  EXPECT_EQ(complete("wave run se"), "wave run second \n");
  EXPECT_EQ(complete("wave -o json run se"), "wave -o json run second \n");
  EXPECT_EQ(complete("wave run --dr"), "wave run --dry-run \n");
  EXPECT_EQ(complete("wave -o js"), "wave -o json \n");
  EXPECT_EQ(complete("wave logs first-"), "wave logs " + shell.run_id + " \n");
}

}  // namespace
}  // namespace wave::test
