// How each kind of workspace is made; prepare.cc chooses.
#pragma once

#include "workspace/git_dir.h"
#include "workspace/run_folder.h"
#include "workspace/workspace.h"

namespace wave::workspace {

/// An empty folder. Every command step passes here: system calls only, no git, no fsync.
Result<Prepared> prepare_plain(const Request& request, const RunFolder& run);
/// A folder with copies of parts of the project. Made beside, then renamed: it is there whole or
/// not at all.
Result<Prepared> prepare_mount(const Request& request, const RunFolder& run);
/// A git worktree, shared by the steps of the run that name its branch.
Result<Prepared> prepare_worktree(const Request& request, const RunFolder& run);
/// Another step's workspace.
Result<Prepared> prepare_ref(const Request& request);

/// Makes what every folder that is no checkout has: `.agents/output`, and a
/// repository of its own without content, so that agents (and git) take this folder for the
/// project's top and not the user's checkout above it.
Status furnish(const std::filesystem::path& workspace);

/// exclude_from_git for a project whose workspaces lie elsewhere.
Status exclude_workspaces(const std::filesystem::path& project,
                          const std::filesystem::path& workspace_root);

/// The folder that the `.git` of a worktree workspace lies in: the workspace, or, where the project
/// is not its repository's top, the `__wt_` folder above it.
std::filesystem::path worktree_top(const std::filesystem::path& workspace);
/// The repository of a worktree workspace. nothing: it is none. kConflict when its `.git` is lost:
/// git would then find the user's own checkout above and work there.
Result<std::optional<GitDir>> repository_of(const Prepared& workspace);

/// The worktree's content now as a tree that git can compare; large files may be missing in it.
Result<std::string> tree_to_compare(const GitDir& repository);

}  // namespace wave::workspace
