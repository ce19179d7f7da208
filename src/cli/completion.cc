#include "cli/completion.h"

#include <fmt/format.h>

#include "base/text.h"

namespace wave::cli {
namespace {

/// How a value is completed, told by the name of its kind.
enum class Source { kNothing, kWords, kPipelines, kRuns, kFolders, kFiles };

Source source_of(const std::string& value) {
  if (value.contains('|')) return Source::kWords;
  if (value == "PIPELINE") return Source::kPipelines;
  if (value == "RUN") return Source::kRuns;
  if (value == "DIR") return Source::kFolders;
  if (value == "FILE") return Source::kFiles;
  return Source::kNothing;
}

std::string words_of(const std::string& value) {
  return replace_all(value, "|", " ");
}

std::string names_of(const std::vector<OptionInfo>& options) {
  std::string names;
  for (const OptionInfo& option : options) {
    if (option.positional) continue;
    for (const std::string& name : option.names) names += name + " ";
  }
  return names;
}

std::string bash_reply(const std::string& value) {
  switch (source_of(value)) {
    case Source::kWords:
      return fmt::format("COMPREPLY=($(compgen -W {} -- \"$cur\"))", shell_quote(words_of(value)));
    case Source::kPipelines:
      return "COMPREPLY=($(compgen -W \"$(wave __complete pipelines 2>/dev/null)\" -- \"$cur\"))";
    case Source::kRuns:
      return "COMPREPLY=($(compgen -W \"$(wave __complete runs 2>/dev/null)\" -- \"$cur\"))";
    case Source::kFolders:
      return "COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Source::kFiles:
      return "COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Source::kNothing:
      return "COMPREPLY=()";
  }
  return {};
}

/// The case branches that complete the values of `options`, for the word before the cursor.
std::string bash_values(const std::vector<OptionInfo>& options, const std::string& indent) {
  std::string text;
  for (const OptionInfo& option : options) {
    if (option.positional || option.value.empty()) continue;
    text += fmt::format("{}{}) {}; return ;;\n", indent, join(option.names, "|"),
                        bash_reply(option.value));
  }
  return text;
}

const OptionInfo* first_positional(const CommandInfo& command) {
  for (const OptionInfo& option : command.options) {
    if (option.positional) return &option;
  }
  return nullptr;
}

std::string zsh_action(const std::string& value) {
  switch (source_of(value)) {
    case Source::kWords:
      return fmt::format("({})", words_of(value));
    case Source::kPipelines:
      return "{_wave_from pipelines}";
    case Source::kRuns:
      return "{_wave_from runs}";
    case Source::kFolders:
      return "_files -/";
    case Source::kFiles:
      return "_files";
    case Source::kNothing:
      return "( )";  // a mere message here would keep zsh from inserting an option that fits as
                     // well
  }
  return {};
}

std::string zsh_text(const std::string& text) {
  std::string safe = replace_all(text, "\\", "\\\\");
  for (const char* special : {"[", "]", ":"}) {
    safe = replace_all(safe, special, std::string("\\") + special);
  }
  return safe;
}

std::string zsh_specs(const std::vector<OptionInfo>& options) {
  std::string specs;
  for (const OptionInfo& option : options) {
    const std::string action =
        option.value.empty() ? "" : fmt::format(":{}:{}", "value", zsh_action(option.value));
    if (option.positional) {
      specs +=
          " " + shell_quote(fmt::format("{}:{}:{}", option.repeated ? "*" : ":",
                                        zsh_text(option.names.front()), zsh_action(option.value)));
      continue;
    }
    for (const std::string& name : option.names) {
      specs += " " + shell_quote(fmt::format("{}[{}]{}", name, zsh_text(option.help), action));
    }
  }
  return specs;
}

std::string fish_option(const std::string& condition, const OptionInfo& option) {
  std::string line = "complete -c wave " + condition;
  for (const std::string& name : option.names) {
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  switch (source_of(option.value)) {
    case Source::kWords:
      line += " -x -a " + shell_quote(words_of(option.value));
      break;
    case Source::kPipelines:
      line += " -x -a '(wave __complete pipelines 2>/dev/null)'";
      break;
    case Source::kRuns:
      line += " -x -a '(wave __complete runs 2>/dev/null)'";
      break;
    case Source::kFolders:
      line += " -x -a '(__fish_complete_directories)'";
      break;
    case Source::kFiles:
      line += " -r -F";
      break;
    case Source::kNothing:
      if (!option.value.empty()) line += " -x";
      break;
  }
  return line + " -d " + shell_quote(option.help) + "\n";
}

}  // namespace

std::string bash_completion(const std::vector<CommandInfo>& commands,
                            const std::vector<OptionInfo>& global) {
  std::string names, branches;
  for (const CommandInfo& command : commands) {
    if (command.hidden) continue;
    names += command.name + " ";
    branches += fmt::format("    {})\n", command.name);
    if (const std::string values = bash_values(command.options, "        "); !values.empty()) {
      branches += "      case \"$prev\" in\n" + values + "      esac\n";
    }
    branches += fmt::format("      options={}\n", shell_quote(names_of(command.options)));
    if (const OptionInfo* positional = first_positional(command)) {
      branches += "      [[ $cur != -* ]] && { " + bash_reply(positional->value) + "; return; }\n";
    }
    branches += "      ;;\n";
  }
  return fmt::format(R"bash(# bash completion for wave; load it with: source <(wave completion bash)
_wave() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} word command= options= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case "$word" in
      -C|--project|-m|--manifest|-o|--output|--format) ((i++)) ;;
      -*) ;;
      *) command=$word; break ;;
    esac
  done
  case "$prev" in
{}  esac
  case "$command" in
    '') [[ $cur != -* ]] && {{ COMPREPLY=($(compgen -W {} -- "$cur")); return; }} ;;
{}  esac
  COMPREPLY=($(compgen -W "$options "{} -- "$cur"))
}}
complete -F _wave wave
)bash",
                     bash_values(global, "    "), shell_quote(names), branches,
                     shell_quote(names_of(global)));
}

std::string zsh_completion(const std::vector<CommandInfo>& commands,
                           const std::vector<OptionInfo>& global) {
  std::string descriptions, branches;
  for (const CommandInfo& command : commands) {
    if (command.hidden) continue;
    descriptions += "    " + shell_quote(command.name + ":" + zsh_text(command.summary)) + "\n";
    branches += fmt::format("    {}) _arguments -s $global{} ;;\n", command.name,
                            zsh_specs(command.options));
  }
  return fmt::format(R"zsh(#compdef wave
# zsh completion for wave; load it with: source <(wave completion zsh)
_wave_from() {{
  local -a found
  found=(${{(f)"$(wave __complete $1 2>/dev/null)"}})
  compadd -a found
}}
_wave() {{
  local -a commands global
  commands=(
{}  )
  global=({})
  local -i i=2
  while (( i < CURRENT )); do
    case $words[i] in
      -C|--project|-m|--manifest|-o|--output|--format) (( i++ )) ;;
      -*) ;;
      *) break ;;
    esac
    (( i++ ))
  done
  if (( i >= CURRENT )); then
    if (( i > CURRENT )) || [[ $words[CURRENT] == -* ]]; then _arguments -s $global; else _describe command commands; fi
    return
  fi
  local command=$words[i]
  words=(wave $words[i+1,-1])
  (( CURRENT -= i - 1 ))
  case $command in
{}  esac
}}
if [[ $funcstack[1] == _wave ]]; then _wave "$@"; else compdef _wave wave; fi
)zsh",
                     descriptions, zsh_specs(global), branches);
}

std::string fish_completion(const std::vector<CommandInfo>& commands,
                            const std::vector<OptionInfo>& global) {
  std::string text =
      "# fish completion for wave; load it with: wave completion fish | source\n"
      "complete -c wave -f\n";
  for (const OptionInfo& option : global) text += fish_option("", option);
  for (const CommandInfo& command : commands) {
    if (command.hidden) continue;
    text += fmt::format("complete -c wave -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        shell_quote(command.summary));
    const std::string condition = fmt::format("-n '__fish_seen_subcommand_from {}'", command.name);
    for (const OptionInfo& option : command.options) {
      if (!option.positional) {
        text += fish_option(condition, option);
        continue;
      }
      OptionInfo unnamed = option;
      unnamed.names.clear();
      if (source_of(option.value) != Source::kNothing) text += fish_option(condition, unnamed);
    }
  }
  return text;
}

}  // namespace wave::cli
