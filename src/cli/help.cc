#include "cli/help.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace wave::cli {
namespace {

constexpr size_t kTextWidth = 96;

/// `text` in lines of at most kTextWidth, each but the first indented to `column`.
std::string wrapped(const std::string& text, size_t column) {
  std::string result;
  size_t used = column;
  for (const std::string& word : split(text, ' ')) {
    if (used + 1 + word.size() > kTextWidth && used > column) {
      result += "\n" + std::string(column, ' ') + word;
      used = column + word.size();
      continue;
    }
    if (used > column) result += ' ';
    result += word;
    used += word.size() + 1;
  }
  return result;
}

std::string label(const OptionInfo& option) {
  std::string text = join(option.names, ", ");
  // Long names line up whether or not there is a short one.
  if (option.names.front().starts_with("--")) text = "    " + text;
  if (!option.value.empty()) text += " " + option.value;
  return text;
}

std::string option_lines(const std::vector<OptionInfo>& options) {
  size_t width = 0;
  for (const OptionInfo& option : options) {
    if (!option.positional) width = std::max(width, label(option).size());
  }
  width = std::min<size_t>(width, 34);
  std::string text;
  for (const OptionInfo& option : options) {
    if (option.positional) continue;
    text += fmt::format("  {:<{}}  {}\n", label(option), width, wrapped(option.help, width + 4));
  }
  return text;
}

std::string usage_line(const CommandInfo& command) {
  std::string line = "wave " + command.name;
  const bool has_options = std::ranges::any_of(
      command.options, [](const OptionInfo& option) { return !option.positional; });
  if (has_options) line += " [OPTIONS]";
  for (const OptionInfo& option : command.options) {
    if (!option.positional) continue;
    std::string name = option.names.front() + (option.repeated ? "..." : "");
    line += option.required ? " " + name : " [" + name + "]";
  }
  return line;
}

}  // namespace

std::string root_help(const std::vector<CommandInfo>& commands,
                      const std::vector<OptionInfo>& global) {
  std::string text =
      "wave runs pipelines of coding agents and commands, and never loses its place.\n\n"
      "Usage: wave [OPTIONS] COMMAND ...\n\nCommands:\n";
  for (const CommandInfo& command : commands) {
    if (!command.hidden) text += fmt::format("  {:<11} {}\n", command.name, command.summary);
  }
  text += "\nOptions of every command:\n" + option_lines(global);
  text +=
      "\nExit codes: 0 completed, 1 failed, 2 usage, 3 invalid manifest or pipeline, 4 rejected,\n"
      "5 refused, 6 store, 7 server unreachable, 8 cancelled, 130 interrupted.\n"
      "\nExamples:\n"
      "  wave init                      set a project up\n"
      "  wave run implement \"add --json\"  run a pipeline and watch it\n"
      "  wave COMMAND --help            what a command can do\n";
  return text;
}

std::string command_help(const CommandInfo& command) {
  std::string text = command.summary + "\n\nUsage: " + usage_line(command) + "\n";
  std::string positionals;
  for (const OptionInfo& option : command.options) {
    if (!option.positional) continue;
    positionals += fmt::format("  {:<12} {}\n", option.names.front(), wrapped(option.help, 15));
  }
  if (!positionals.empty()) text += "\nArguments:\n" + positionals;
  if (const std::string lines = option_lines(command.options); !lines.empty()) {
    text += "\nOptions:\n" + lines;
  }
  text += "\nOptions of every command (-C, -m, -o, --json, -q, -v, --no-color): wave --help\n";
  text += "\nExamples:\n";
  for (const std::string& example : command.examples) text += "  " + example + "\n";
  return text;
}

}  // namespace wave::cli
