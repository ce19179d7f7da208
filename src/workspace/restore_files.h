// A worktree's files back to a checkpoint's.
#pragma once

#include "workspace/snapshot.h"

namespace wave::workspace {

/// Makes the files what `tree` and `kept` say; `now` is how they stand. Not touched: ignored files,
/// what the checkpoint had left out, and what has not changed. Changes the index of `now`, but
/// neither HEAD nor the worktree's own index.
Status restore_files(const Snapshot& now, const std::string& tree, const Kept& kept);

}  // namespace wave::workspace
