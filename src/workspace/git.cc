#include "workspace/git.h"

#include <unistd.h>

#include "base/system_fault.h"
#include "base/text.h"
#include "workspace/run_work.h"
#include "workspace/worktree.h"

namespace wave::workspace {
namespace {

using Environment = std::map<std::string, std::string>;

// What may reach git from our own environment: all but what would make it act elsewhere, ask, or
// speak another language.
bool is_passed_on(std::string_view name) {
  return !name.starts_with("GIT_") && !name.starts_with("LC_") && name != "LANG" &&
         name != "LANGUAGE" && name != "SSH_ASKPASS" && name != "PWD";
}

Environment git_environment(const GitCall& call) {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos || !is_passed_on(text.substr(0, equals))) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  environment["LC_ALL"] = "C";
  environment["GIT_TERMINAL_PROMPT"] = "0";
  environment["GIT_EDITOR"] = "false";
  environment["GIT_PAGER"] = "cat";
  if (!call.git_dir.empty()) {
    environment["GIT_DIR"] = call.git_dir;
    environment["GIT_WORK_TREE"] = call.work_tree;
  }
  if (!call.run_folder.empty()) {
    environment[std::string(kGitMark)] = call.run_folder.filename();
  }
  for (const auto& [name, value] : call.environment) environment[name] = value;
  return environment;
}

std::vector<std::string> git_arguments(const GitCall& call) {
  std::vector<std::string> argv{"git", "--no-pager"};
  for (const char* setting :
       {"core.hooksPath=/dev/null", "commit.gpgsign=false", "core.fsmonitor=false", "gc.auto=0",
        "maintenance.auto=false", "advice.detachedHead=false", "advice.addEmbeddedRepo=false",
        "core.quotePath=false"}) {
    argv.emplace_back("-c");
    argv.emplace_back(setting);
  }
  if (call.durable) {
    for (const char* setting : {"core.fsync=objects,reference", "core.fsyncMethod=batch"}) {
      argv.emplace_back("-c");
      argv.emplace_back(setting);
    }
  }
  argv.insert(argv.end(), call.arguments.begin(), call.arguments.end());
  return argv;
}

// The subcommand, for messages.
std::string name_of(const GitCall& call) {
  const auto name = std::ranges::find_if(
      call.arguments, [](const std::string& argument) { return !argument.starts_with('-'); });
  return name == call.arguments.end() ? "git" : "git " + *name;
}

}  // namespace

GitCall call_in(const GitDir& repository, std::vector<std::string> arguments) {
  GitCall call;
  call.work_tree = repository.work_tree;
  call.git_dir = repository.git_dir;
  if (is_worktree_name(repository.work_tree.filename().native())) {
    call.run_folder = repository.work_tree.parent_path();
  }
  call.arguments = std::move(arguments);
  call.stop = repository.stop;
  return call;
}

Result<process::CommandResult> run_git(const GitCall& call) {
  process::CommandRequest request;
  request.argv = git_arguments(call);
  request.cwd = call.work_tree;
  request.env = git_environment(call);
  request.stdin_text = call.input;
  request.timeout = call.timeout;
  request.max_output = call.max_output;
  request.stop = call.stop;
  UniqueFd work;
  if (!call.run_folder.empty()) {
    WAVE_TRY(work, share_work(call.run_folder, call.stop));
    request.inherited.push_back(work.get());
  }
  if (call.lock >= 0) request.inherited.push_back(call.lock);
  auto result = process::run_command(request);
  const std::string what = name_of(call);
  if (!result && result.error().code == Code::kNotFound) {
    return fail(Code::kConflict, what + ": there is no git program in PATH", "install git");
  }
  if (!result) return fail(result.error().wrapped(what + " did not run to its end"));
  if (result->out_truncated) {
    return fail(Code::kLimit, fmt::format("{} printed more than {} bytes", what, call.max_output));
  }
  return result;
}

Result<std::string> git_output(const GitCall& call) {
  WAVE_TRY(auto result, run_git(call));
  if (result.exit_code != 0) return fail(git_error(call, result));
  return std::move(result.out);
}

Error git_error(const GitCall& call, const process::CommandResult& result) {
  std::string words = replace_all(std::string(trim(result.err)), "\n", "; ");
  if (words.empty()) words = "no message";
  Error error(Code::kGit,
              fmt::format("{} failed in {} (exit code {}): {}", name_of(call),
                          call.work_tree.native(), result.exit_code, excerpt(words, 1000)));
  if (words.contains("dubious ownership")) {
    error.code = Code::kPermissionDenied;
    error.hint = "the repository belongs to another user: git config --global --add safe.directory";
  }
  if (const auto fault = fault_in_message(words)) {
    error.code = fault_code(*fault);
    error.hint = fault_hint(*fault);
    note_shortage(error);
  }
  return error;
}

}  // namespace wave::workspace
