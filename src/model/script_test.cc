// Scripts: what anybody typed is never shell code. Held by running the compiled scripts with sh.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <random>

#include "model/shell_lexer.h"
#include "model/template.h"

namespace wave::model {
namespace {

using testing::HasSubstr;

TemplateScope script_scope() {
  TemplateScope scope;
  scope.project = {"test_command"};
  return scope;
}

struct Compiled {
  Script script;
  Diagnostics diagnostics;
};

Compiled compile(const std::string& text, const std::string& command = "make \"test\"") {
  Compiled compiled;
  const Template parsed =
      parse_template(text, {"f", 1, 1}, "script", script_scope(), compiled.diagnostics);
  compiled.script = compile_script(
      parsed, [&](const Expression&) { return command; }, "script", compiled.diagnostics);
  return compiled;
}

std::string text_of(const std::string& text) {
  Compiled compiled = compile(text);
  EXPECT_TRUE(compiled.diagnostics.empty()) << to_text(compiled.diagnostics.front());
  return compiled.script.text;
}

// Runs the script with sh, its variables set to `value`, and gives back what it printed.
std::string run(const Script& script, const std::string& value) {
  std::array<int, 2> out{};
  EXPECT_EQ(pipe(out.data()), 0);
  std::vector<std::string> environment = {"PATH=/usr/bin:/bin"};
  for (const auto& [name, expression] : script.variables) environment.push_back(name + "=" + value);
  std::vector<char*> pointers;
  for (std::string& entry : environment) pointers.push_back(entry.data());
  pointers.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(out[1], 1);
    close(out[0]);
    close(out[1]);
    std::string text = script.text;
    std::array<char*, 4> arguments = {const_cast<char*>("sh"), const_cast<char*>("-c"), text.data(),
                                      nullptr};
    execve("/bin/sh", arguments.data(), pointers.data());
    _exit(127);
  }
  close(out[1]);
  std::string printed;
  std::array<char, 4096> buffer{};
  for (ssize_t n; (n = read(out[0], buffer.data(), buffer.size())) > 0;) {
    printed.append(buffer.data(), static_cast<size_t>(n));
  }
  close(out[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << script.text;
  return printed;
}

TEST(Script, PlaceholdersBecomeVariables) {
  EXPECT_EQ(text_of("echo {{ input }}"), "echo \"$WAVE_T1\"");
  EXPECT_EQ(text_of("echo \"a {{ input }} b\""), "echo \"a $WAVE_T1 b\"");
  EXPECT_EQ(text_of("echo \"{{ input }}b\""), "echo \"${WAVE_T1}b\"");
  EXPECT_EQ(text_of("P='{{ input }}'"), "P=''\"$WAVE_T1\"''");
  EXPECT_EQ(text_of("x={{ input }}{{ run.id }} {{ input }}"),
            "x=\"$WAVE_T1\"\"$WAVE_T2\" \"$WAVE_T1\"");
  EXPECT_EQ(text_of("{{ project.test_command }} {{ step_id }}"), "make \"test\" \"$WAVE_T1\"");
}

TEST(Script, ManifestValuesAreCodeAndSeenByTheLexer) {
  const Compiled compiled = compile("{{ project.test_command }}{{ input }}\"", "echo \"x ");
  EXPECT_EQ(compiled.script.text, "echo \"x $WAVE_T1\"");
}

TEST(Script, ElsewhereItIsAnErrorWithItsPlace) {
  const auto refused = [](const std::string& text, const std::string& where) {
    const Compiled compiled = compile(text);
    ASSERT_EQ(compiled.diagnostics.size(), 1U) << text;
    EXPECT_EQ(compiled.diagnostics[0].severity, Severity::kError);
    EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr(where)) << text;
    EXPECT_GT(compiled.diagnostics[0].pos.column, 0);
  };
  refused("x=$(echo {{ input }})", "command substitution");
  refused("x=\"$(echo \"{{ input }}\")\"", "command substitution");
  refused("x=`echo {{ input }}`", "backquotes");
  refused("x=$((1 + {{ input }}))", "arithmetic");
  refused("x=${y:-{{ input }}}", "parameter");
  refused("x=\"${y:-{{ input }}}\"", "parameter");
  refused("# {{ input }}\ntrue", "comment");
  refused("cat <<EOF\n{{ input }}\nEOF\n", "here-document");
  refused("cat <<-'EOF'\n\t{{ input }}\n\tEOF\n", "here-document");
  refused("cat <<{{ input }}\nEOF\n", "delimiter");
  refused("echo \\{{ input }}", "right behind");
  refused("echo \"${{ input }}\"", "right behind");
  refused("echo ${{ input }}", "right behind");
}

TEST(Script, BehindSuchPlacesItIsFineAgain) {
  const char* before[] = {
      "x=$(date)\n",
      "x=\"$(echo \"a $(b) ')'\" ')')\"\n",
      "x=`date \\` `\n",
      "x=$((1 + (2 * 3)))\n",
      "x=${y:-'}'}; x=${#y}; x=$#; x=$$\n",
      "x=\"${y:-it's}\"\n",
      "# it's a comment\n",
      "echo a#b 'x' # don't\n",
      "cat <<EOF\nit's $(x) \"\nEOF\n",
      "cat <<-'A B'\n\tit's\n\tA B\n",
      "cat <<\\EOF\n`\nEOF\n",
      "cat <<\"EOF\" <<E2 | x\nit's\nEOF\nit's\nE2\n",
      "cat <<EOF\na\\\nEOF\nb'\nEOF\n",
      "case x in a) echo ;; (b) echo ;; esac\n",
      "x=$(case x in a) echo 1;; b) echo 2;; esac)\n",
      "x=$(\n  # it's ) here\n  case $x in\n    a|b) y ;;\n  esac\n  echo case)\n",
      "x=$(cat <<E\n)'\nE\n)\n",
      "echo '{\"a\": \"'$(date -Iseconds)'\"}' > x\n",
      "echo 1 >&2; [ -n \"$x\" ] && (cd y; z)\n",
      "f() { echo \"$1\"; }\n",
  };
  for (const char* text : before) {
    const Compiled compiled = compile(std::string(text) + "echo {{ input }} '{{ input }}'");
    EXPECT_TRUE(compiled.diagnostics.empty()) << text << to_text(compiled.diagnostics.front());
    EXPECT_TRUE(compiled.script.text.ends_with("echo \"$WAVE_T1\" ''\"$WAVE_T1\"''"))
        << compiled.script.text;
  }
}

TEST(Script, UnclosedQuotesAreWarnedOf) {
  const Compiled compiled = compile("echo 'it");
  ASSERT_EQ(compiled.diagnostics.size(), 1U);
  EXPECT_EQ(compiled.diagnostics[0].severity, Severity::kWarning);
}

std::string nasty_value(std::mt19937& random) {
  static const std::vector<std::string> pieces = {
      "'",  "\"", "$",           "`",        "$(exit 3)", "`exit 3`", "\\", "\n", " ",
      "\t", "*",  "?",           "[a]",      "~",         ";",        "&",  "|",  "<",
      ">",  "#",  "{{ input }}", "$WAVE_T1", "${IFS}",    "a",        "-n", "%s", "ä",
      "!",  "(",  ")",           "\r",       "exit 3",    "$((",      "EOF"};
  std::string value;
  for (size_t i = random() % 8; i > 0; --i) value += pieces[random() % pieces.size()];
  return value;
}

// What stands bare or in quotes is exactly one word with exactly the value, after whatever code.
TEST(Script, ValuesArriveAsOneExactWord) {
  std::mt19937 random(5);
  const std::vector<std::string> preludes = {
      "",
      "x=$(printf '%s' \"a)'b\"); ",
      "# it's\n",
      "cat > /dev/null <<EOF\nit's \"$(echo 1)\" `echo 2`\nEOF\n",
      "cat > /dev/null <<-'E F'\n\tit's $( `\n\tE F\n",
      "case a in b) : ;; (a) : ;; esac\n",
      "x=$((1 + 2)); y=\"${x:-it's}\"; ",
      "x=`printf %s '\"'`; : \"$x\" 'a\"b' a\\'b \\\"; ",
      "x=$(case a in a) echo \"'\";; esac); ",
  };
  struct Form {
    std::string text, before, after;
  };
  const std::vector<Form> forms = {
      {"{{ input }}", "", ""},
      {"\"{{ input }}\"", "", ""},
      {"'{{ input }}'", "", ""},
      {"a{{ input }}b", "a", "b"},
      {"\"a {{ input }}b\"", "a ", "b"},
      {"'a {{ input }}b'", "a ", "b"},
      {"a'{{ input }}'\"b\"", "a", "b"},
      {"\"a\"{{ input }}'b'", "a", "b"},
      {"\"\\\"{{ input }}\\\"\"", "\"", "\""},
      {"\"it's {{ input }}1\"", "it's ", "1"},
  };
  for (int round = 0; round < 400; ++round) {
    const std::string value = nasty_value(random);
    const Form& form = forms[random() % forms.size()];
    const std::string& prelude = preludes[random() % preludes.size()];
    const Compiled compiled = compile(prelude + "printf '[%s]' " + form.text);
    ASSERT_TRUE(compiled.diagnostics.empty()) << prelude << to_text(compiled.diagnostics.front());
    ASSERT_EQ(run(compiled.script, value), "[" + form.before + value + form.after + "]")
        << compiled.script.text;
  }
}

TEST(Script, RandomScriptsNeverCrash) {
  std::mt19937 random(9);
  const std::vector<std::string> pieces = {
      "'",   "\"",   "$",   "`",           "(",
      ")",   "{",    "}",   "\\",          "\n",
      " ",   "#",    "<<",  "<<-",         "<",
      "EOF", "$(",   "$((", "${",          "case",
      "in",  "esac", ";;",  "{{ input }}", "{{ project.test_command }}",
      "x"};
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    for (size_t i = random() % 20; i > 0; --i) text += pieces[random() % pieces.size()];
    const Compiled compiled = compile(text);
    // Nothing but variables and the manifest's code is ever put in.
    ASSERT_LE(compiled.script.variables.size(), 1U);
    ASSERT_FALSE(compiled.script.text.contains("{{ input }}")) << text;
  }
}

}  // namespace
}  // namespace wave::model
