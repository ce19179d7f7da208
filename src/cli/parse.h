// Command line -> what is to be done. parse.cc is the one translation unit that includes the parser
// library, and the one place where options are declared: help and completion are made from the same
// declarations and cannot drift.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "cli/options.h"

namespace wave::cli {

using CommandOptions =
    std::variant<InitOptions, RunOptions, DoOptions, ResumeOptions, CancelOptions, StatusOptions,
                 LogsOptions, ArtifactsOptions, ListOptions, ValidateOptions, GateOptions,
                 ServeOptions, RetroOptions, TokenOptions, CertOptions, AuditOptions, DoctorOptions,
                 CleanOptions, VersionOptions, CompletionOptions, CompleteOptions, OwnOptions>;

/// One option or positional argument, as help and completion show it.
struct OptionInfo {
  std::vector<std::string> names;  // "-i", "--input"; a positional has its one name
  std::string value;               // "" for a flag; "a|b" for one of these; PIPELINE, RUN, DIR ...
  std::string help;
  bool positional = false;
  bool required = false;
  bool repeated = false;
};

struct CommandInfo {
  std::string name, summary;
  std::vector<std::string> examples;
  bool hidden = false;
  std::vector<OptionInfo> options;  // without the global ones
};

/// A command line that was understood.
struct Invocation {
  std::string command;
  GlobalOptions global;
  CommandOptions options;
  bool executes_runs = false;  // needs the process launcher, before any thread exists
};

/// Either something to do or a text to print (help). kUsage for everything that does not make
/// sense, with what was probably meant. `args` is without argv[0].
Result<std::variant<Invocation, std::string>> parse(const std::vector<std::string>& args);

/// Whether these arguments ask for JSON, as far as can be told without understanding them: errors
/// of parsing are printed in the form that was asked for.
bool asks_for_json(const std::vector<std::string>& args);

/// Every command, hidden ones included, in the order of the help.
std::vector<CommandInfo> describe_commands();
std::vector<OptionInfo> describe_global_options();

/// "30" is minutes, as upstream has it; anything else is a duration ("90s", "2h").
Result<Millis> parse_step_timeout(const std::string& text);

}  // namespace wave::cli
