// The git command line, called in one way only: explicit repository, clean environment, no hooks,
// no signing, no prompts, a deadline.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "process/run_command.h"
#include "workspace/git_dir.h"

namespace wave::workspace {

inline constexpr Millis kGitTimeout{90'000};

struct GitCall {
  std::filesystem::path work_tree;  // where git starts
  /// The repository, when it is known. Without it git looks for one from work_tree upwards; never
  /// leave it out where an agent may have deleted `.git`: git would find the user's own repository.
  std::filesystem::path git_dir;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // added: GIT_INDEX_FILE ...
  std::string input;
  /// The run's folder below the workspaces, for a git that works for a run: it inherits the run's
  /// work lock and carries the run's mark (run_work.h). Empty for one that only looks at the user's
  /// repository.
  std::filesystem::path run_folder;
  int lock = -1;         // a further lock that lasts as long as the git does
  bool durable = false;  // what it writes survives a power failure: objects and refs are synced
  Millis timeout = kGitTimeout;
  size_t max_output = size_t{64} << 20;
  std::stop_token stop{};  // ends it early: kInterrupted
};

/// A call for a repository that is known, wherever an agent may have put things since; ended by the
/// repository's `stop`. In a run's worktree it works for that run.
GitCall call_in(const GitDir& repository, std::vector<std::string> arguments);
/// Runs git to its end, whatever its exit code. Errors: no git, deadline, output beyond the bound.
Result<process::CommandResult> run_git(const GitCall& call);
/// The same, and any exit code but 0 is an error with git's own words. The answer is its stdout.
Result<std::string> git_output(const GitCall& call);
/// git's complaint as an Error: first lines of stderr, one line.
Error git_error(const GitCall& call, const process::CommandResult& result);

}  // namespace wave::workspace
