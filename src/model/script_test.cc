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
  EXPECT_EQ(text_of("x={{ input }}{{ run.id }} y {{ input }}"),
            "x=\"$WAVE_T1\"\"$WAVE_T2\" y \"$WAVE_T1\"");
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

// One word for the shell, and code again for the program that gets the word.
TEST(Script, ValuesThatBecomeCodeInAnotherProgramAreRefused) {
  const char* refused[] = {
      "sh -c 'echo {{ input }}'",
      "bash -c \"echo {{ input }}\"",
      "/bin/bash -euo pipefail -c 'echo {{ input }}'",
      "bash -lc 'echo {{ input }}' x",
      "sh {{ input }}",
      "sh ./{{ input }}.sh",
      "eval {{ input }}",
      "eval \"x={{ input }}\"",
      "trap 'rm {{ input }}' EXIT",
      ". {{ input }}",
      "{{ input }} --version",
      "./tools/{{ input }} x",
      "if {{ input }}; then :; fi",
      "X=1 {{ input }}",
      "echo a | {{ input }}",
      "true && sh -c {{ input }}",
      "env A=1 sh -c '{{ input }}'",
      "env -u B A=1 {{ input }}",
      "env -S {{ input }}",
      "timeout -k 5 10 sh -c '{{ input }}'",
      "nohup {{ input }} &",
      "xargs -n 1 sh -c '{{ input }}'",
      "find . -name x -exec sh -c 'rm {{ input }}' \\;",
      "sudo -u ada env X=1 bash -c '{{ input }}'",
      "docker exec box sh -c 'ls {{ input }}'",
      "python3 -c 'print(\"{{ input }}\")'",
      "python3.11 -u -c \"print({{ input }})\"",
      "perl -e 'print {{ input }}'",
      "perl -lane 'print {{ input }}' f",
      "node -e 'x({{ input }})'",
      "node --eval='x({{ input }})'",
      "ruby -e \"{{ input }}\"",
      "awk '/{{ input }}/ { print }' f",
      "awk -F : \"{{ input }}\" f",
      "sed -i 's/a/{{ input }}/' f",
      "sed -n -e 's/{{ input }}//p' f",
      "jq --arg x 1 '.[\"{{ input }}\"]' f",
      "ssh host ls {{ input }}",
      "ssh {{ input }} ls",
      "printf '%s' {{ input }} | sh",
      "echo {{ input }} | tr a b | bash -s",
      "echo {{ input }} | xargs -I% sh -c 'echo %'",
      "echo {{ input }} | xargs -n1 env",
      "sh <<< {{ input }}",
      "python3 - <<EOF\n$x\nEOF\n",
      "y=$(sh -c \"$x\")",
      "case a in a) sh -c \"$x\";; esac",
      "for f in a $x; do eval \"$f\"; done",
      "(cd a && eval \"$x\")",
      "f() { eval \"${x:-}\"; }",
      "export z=\"$x\"; bash -c \"$z\"",
      "sh -c \"$WAVE_INPUT\"",
  };
  for (const char* text : refused) {
    const Compiled compiled = compile(std::string("x={{ input }}\n") + text);
    ASSERT_EQ(compiled.diagnostics.size(), 1U) << text;
    EXPECT_EQ(compiled.diagnostics[0].severity, Severity::kError);
    EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr(" becomes the ")) << text;
    EXPECT_NE(compiled.diagnostics[0].hint, "") << text;
  }
}

TEST(Script, PlainArgumentsStayWhatTheyAre) {
  const char* accepted[] = {
      "echo {{ input }}; printf '%s' {{ input }}",
      "sh -c 'echo \"$1\"' sh {{ input }}",
      "sh -c 'echo \"$WAVE_INPUT\"'",
      "sh -c 'echo \"$x\"'",
      "sh script.sh {{ input }}",
      "bash -e -- script.sh {{ input }}",
      "python3 -c 'import sys; print(sys.argv)' {{ input }}",
      "python3 -m tool {{ input }}",
      "python3 tool.py -c {{ input }}",
      "python3 - {{ input }} <<'EOF'\nprint('$x')\nEOF\n",
      "echo {{ input }} | python3 -c 'import sys'",
      "echo {{ input }} | python3 tool.py",
      "echo {{ input }} | grep sh",
      "grep sed {{ input }} | sh tool.sh",
      "awk -v x={{ input }} '{ print x }' f",
      "X={{ input }} awk '{ print ENVIRON[\"X\"] }' f",
      "awk -f tool.awk {{ input }}",
      "sed -n 's/a/b/p' {{ input }}",
      "jq --arg x {{ input }} '.[$x]' f",
      "jq -r . {{ input }}",
      "printf '%s' {{ input }} | ssh host 'cat > f'",
      "git add . {{ input }}",
      "git commit -m {{ input }}",
      "env X={{ input }} sh -c 'echo \"$X\"'",
      "xargs rm {{ input }}",
      "echo {{ input }} | xargs -n1 rm",
      "find . -name {{ input }} -exec rm {} +",
      "command -v {{ input }}",
      "echo sh -c {{ input }}",
      "./watch {{ input }}",
      "make {{ input }}",
      "{{ project.test_command }} {{ input }}",
      "sh -c '{{ project.test_command }} {{ step_id }}'",
      "./tools/{{ step_id }}.sh {{ input }}",
      "x=clean; sh -c \"echo $x\"",
      "n=${#x}; sh -c \"echo $n\"",
      "case {{ input }} in a) sh -c b;; (c|d) e;; esac",
      "for f in a {{ input }}; do rm \"$f\"; done",
      "echo a > {{ input }}; sh -c 'cat' < {{ input }}",
      "# sh -c \"$x\"\ntrue",
      "cat <<EOF | grep a\n$x sh -c\nEOF\n",
      "echo \"$(echo \"$x\" | wc -c)\" '`sh -c $x`'",
  };
  for (const char* text : accepted) {
    const Compiled compiled = compile(std::string("x={{ input }}\n") + text, "npm test");
    EXPECT_TRUE(compiled.diagnostics.empty()) << text << "\n"
                                              << to_text(compiled.diagnostics.front());
  }
}

// A database has its own permissions, and pipelines that exist build queries like that.
TEST(Script, ValuesInQueriesAreWarnedOf) {
  for (const char* text : {"sqlite3 f 'select {{ input }}'", "psql -c 'select {{ input }}'"}) {
    const Compiled compiled = compile(text);
    ASSERT_EQ(compiled.diagnostics.size(), 1U) << text;
    EXPECT_EQ(compiled.diagnostics[0].severity, Severity::kWarning);
    EXPECT_THAT(compiled.diagnostics[0].message, HasSubstr("becomes the code")) << text;
  }
}

// Reading must end, and take no longer than the script is long, whatever stands there.
TEST(Script, AnyTextIsReadForItsCommands) {
  for (const std::string& piece :
       {std::string("$("), std::string("`"), std::string("${"), std::string("$(("),
        std::string("<<A\n"), std::string("case "), std::string("sh -c "), std::string("<("),
        std::string("\\"), std::string("xargs ")}) {
    std::string text;
    while (text.size() < 100'000) text += piece;
    (void)compile("x={{ input }}\n" + text);
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
