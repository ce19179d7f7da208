// Lock files that a killed git left behind ("*.lock": git removes its own when it ends, and refuses
// to work where it finds one).
#pragma once

#include "workspace/git_dir.h"
#include "workspace/run_folder.h"

namespace wave::workspace {

/// Removes those on wave's own refs of a run, on the branches that wave made for it, and in its
/// worktrees' administrative folders; with them what was left of a registration that was never
/// finished. Never anything else of the repository's: that is the user's. Call it while no git
/// works for the run. `agents_live`: what an agent's own git may be holding at this moment stays.
Status remove_stale_locks(const GitDir& repository, const RunFolder& run, bool agents_live);

/// Removes them from one worktree and from the branch it is on, where no program works in it.
void remove_worktree_locks(const GitDir& worktree);

}  // namespace wave::workspace
