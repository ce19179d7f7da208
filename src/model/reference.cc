#include "model/reference.h"

#include <set>

#include "base/text.h"
#include "model/manifest_tables.h"
#include "model/pipeline_tables.h"

namespace wave::model {
namespace {

std::string cell(std::string_view text) {
  return replace_all(std::string(text), "|", "\\|");
}

std::string code_cell(std::string_view text) {
  if (text.empty()) return "";
  // Defaults that are explained in words carry their own backquotes, or are prose.
  const bool prose = text.contains('`') || text.contains(' ');
  return prose ? cell(text) : "`" + cell(text) + "`";
}

std::string anchor(std::string_view title) {
  std::string link;
  for (const char c : to_lower(title)) {
    if (c == ' ') link += '-';
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-') link += c;
  }
  return link;
}

std::string status_text(const KeyDoc& key) {
  switch (key.status) {
    case KeyStatus::kSupported:
      return "";
    case KeyStatus::kParsedOnly:
      return "read only";
    case KeyStatus::kUnsupported:
      return "not yet";
  }
  return "";
}

std::string meaning_text(const KeyDoc& key) {
  std::string text = cell(key.meaning);
  if (!key.allowed.empty()) {
    std::string words;
    for (const std::string_view word : key.allowed) {
      if (word.empty()) continue;
      words += words.empty() ? "" : ", ";
      words += fmt::format("`{}`", word);
      if (std::ranges::find(key.unsupported_values, word) != key.unsupported_values.end()) {
        words += " (not yet)";
      }
    }
    text += ". One of " + words;
  }
  if (key.nested != nullptr) {
    const TableDoc& below = key.nested();
    text += fmt::format(". See [{}](#{})", below.title, anchor(below.title));
  }
  return text;
}

// Prints tables, each once, those below a table right after it.
class Printer {
 public:
  void table(const TableDoc& doc) {
    if (!printed_.insert(&doc).second) return;
    text += fmt::format("### {}\n\n{}\n\n", doc.title, doc.about);
    text += "| Key | Type | Default | Meaning | Status |\n|---|---|---|---|---|\n";
    for (const KeyDoc& key : doc.keys) {
      text += fmt::format("| `{}`{} | {} | {} | {} | {} |\n", key.name,
                          key.required ? " (required)" : "", key.type, code_cell(key.fallback),
                          meaning_text(key), status_text(key));
    }
    text += "\n";
    for (const KeyDoc& key : doc.keys) {
      if (key.nested != nullptr) table(key.nested());
    }
  }

  std::string text;

 private:
  std::set<const TableDoc*> printed_;
};

constexpr std::string_view kIntroduction = R"(# Manifest, pipelines, personas

This page is generated from the tables that the loader reads; it cannot be out of date.

A project has a manifest, `wave.yaml`, and pipelines, `.agents/pipelines/<name>.yaml`. `wave validate`
reports everything that is wrong with them, with file, line, column and what is allowed. A key that is
not in these tables is an error.

Status: *read only* keys are read and checked and change nothing in a run; *not yet* is part of the
language and not carried out by this version: `wave validate` reports it as `unsupported`, and `wave run`
refuses a pipeline that reaches it. Keys without a status are carried out.

Types: *text* may be written with or without quotes. A *duration* is text such as `500ms`, `90s`, `5m`,
`1h30m` or `7d`. A *template* is text with placeholders (see [Templates](#templates)). Paths of prompts,
schemas and criteria are relative to the project.

)";

constexpr std::string_view kPersonaFiles = R"(## Persona files

A persona is defined in the manifest, or by files: `.agents/personas/<name>.md` is its system prompt, and
`.agents/personas/<name>.yaml`, if there is one, has the keys below. `.agents/personas/base-protocol.md`,
if there is one, stands before every persona's prompt. Placeholders such as `{{ run.id }}` can be used in
all of them.

)";

constexpr std::string_view kTemplates = R"(## Templates

`{{ name }}` is replaced by a value. Templates are read once, when the pipeline is loaded: a name that does
not exist is an error with its line and column, and a value that is put in is never read as a template again.

| Placeholder | Value |
|---|---|
| `input` | what the run was started with |
| `run.id`, `pipeline_id`, `pipeline_context.pipeline_id` | id of the run |
| `run.name`, `pipeline_name`, `pipeline_context.pipeline_name` | name of the pipeline |
| `step_id`, `pipeline_context.step_id` | id of the step |
| `branch_name`, `pipeline_context.branch_name` | current git branch |
| `feature_num`, `pipeline_context.feature_num` | number at the start of the branch's name |
| `project.<key>`, `project.services.<name>.<key>` | a value of the manifest; empty when it is not set |
| `forge.type`, `.host`, `.owner`, `.repo`, `.cli_tool`, `.prefix`, `.pr_term`, `.pr_command` | where the project is hosted |
| `artifacts.<name>`, `artifacts.<step>.<name>`, `deps.<step>.<name>` | path of an artifact |
| `<step>.out.<name>[.path]`, `steps.<step>.artifacts.<name>[.path]` | content of an artifact, or a part of its JSON |
| `<step>.output[.path]`, `steps.<step>.output[.path]` | content of the step's first artifact |
| `gate.<step>.choice`, `.key`, `.text`, `.timestamp`, `.target` | what was decided at a gate |
| `env.<name>` | environment given by a calling pipeline |
| `item[.path]`, `task[.path]`, `iteration` | in steps with items |

Text in braces that cannot be a name, such as `{{ project.* }}` or `{{ '<id>' }}`, stays as it is, with a warning.

)";

constexpr std::string_view kScripts = R"md(## Scripts

The script of a command step, and the command of a `test_suite` contract, run with `sh`. Values of the
manifest (`project.*`, `forge.*`) are put in as code: they are yours. Every other value becomes an
environment variable, so that nothing that somebody typed or an agent wrote is ever code:

| Where the placeholder stands | What it becomes |
|---|---|
| bare: `echo {{ input }}` | `echo "$WAVE_T1"` |
| in double quotes: `echo "for {{ input }}"` | `echo "for $WAVE_T1"` |
| in single quotes: `echo 'for {{ input }}'` | `echo 'for '"$WAVE_T1"''` |

In a here-document, a command substitution, backquotes, an arithmetic or parameter expansion or a comment it is an
error with its position: assign it to a shell variable first.

```sh
topic={{ input }}
count=$(printf %s "$topic" | wc -c)
```

A placeholder never has to be in a script: `WAVE_INPUT_FILE` names a file with the run's input, and `WAVE_INPUT` holds it if it is
text of up to 100 KiB. A script that names `WAVE_INPUT` fails with a hint when the input is larger. Both are set for every program of
a step.

### Values that other programs would run

Quotes keep a value one word. A program that takes the word for code makes code of it again, so these are errors, too, for every
value that somebody types or an agent writes (the input, artifacts, answers of gates, what a webhook hands over), whoever starts the run:

| Refused | Instead |
|---|---|
| a shell: `sh -c 'echo {{ input }}'`, `sh {{ input }}`, `su -c`, `watch`, `parallel`, also behind `env`, `timeout`, `nohup`, `xargs`, `find -exec`, `sudo`, `docker exec` ... | an argument: `sh -c 'echo "$1"' sh {{ input }}` |
| `python3 -c`, `perl -e`, `ruby -e`, `node -e`, `php -r` and the like | an argument behind the code, or `WAVE_INPUT` |
| `awk '/{{ input }}/'` | `X={{ input }} awk '{ print ENVIRON["X"] }'` |
| `sed 's/a/{{ input }}/'` | awk, or a program that takes an argument |
| `jq '.{{ input }}'` | `jq --arg x {{ input }} '.[$x]'` |
| `ssh host ls {{ input }}` | the standard input: `printf '%s' {{ input }} \| ssh host 'cat > file'` |
| `eval`, `trap`, `. {{ input }}`, and `{{ input }}` as the command | `case {{ input }} in ...` with the commands written out |
| `echo {{ input }} \| sh`, and a here-document that puts the value into a program | as above |

In the query of a database (`psql -c`, `mysql -e`, `sqlite3`) it is a warning: let a program with bound parameters build the query.

A shell variable that holds such a value (`x={{ input }}`, then `sh -c "$x"`) counts like the value. What is not found, because a script
does not say it: values that reach a program as a file or through a substitution (`sh -c "$(cat file)"`, `. "$WAVE_INPUT_FILE"`), programs that make code of their plain
arguments (`make`, `git -c`, an option that starts with `-`), and arithmetic in shells that run what a variable holds (`$((x))` in bash).
Put `--` in front of a value that may start with `-`, and check that a number is one.

)md";

}  // namespace

std::string pipelines_reference_markdown() {
  Printer printer;
  printer.text = kIntroduction;
  printer.text += "## Manifest\n\n";
  printer.table(manifest_keys().doc());
  printer.text += "## Pipeline\n\n";
  printer.table(pipeline_keys().doc());
  printer.text += kPersonaFiles;
  printer.table(persona_file_keys().doc());
  printer.text += kTemplates;
  printer.text += kScripts;
  return std::move(printer.text);
}

}  // namespace wave::model
