// Names and removal of worktrees, for making and for cleaning.
#pragma once

#include <filesystem>
#include <string>

#include "workspace/git_dir.h"
#include "workspace/run_folder.h"

namespace wave::workspace {

/// The folder's name for a branch, or for a detached checkout of one step: `__wt_<words>-<hash>`,
/// at most 60 bytes. The words are for people; the hash keeps `a/b` and `a-b` apart.
std::string worktree_name(const std::string& run_id, const std::string& step,
                          const std::string& branch, const std::string& base);

/// Whether a folder of a run is one of these, by its name.
bool is_worktree_name(std::string_view folder);

/// Held around each git command that makes, removes or looks through linked worktrees: git reads
/// the registrations of all of them, and fails over one that another git is just writing. Never
/// held while files are checked out. The git inherits it (GitCall::lock): it ends with both, so
/// that nobody starts beside the git of an owner that died. kTimeout after two minutes.
Result<UniqueFd> lock_worktrees(const GitDir& repository);

/// Removes a worktree's folder, if there is one, and git's registration of it.
Status remove_worktree(const GitDir& repository, const std::filesystem::path& path);

}  // namespace wave::workspace
