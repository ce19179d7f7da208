// Keeping the manifest's word on how much of ended runs is kept (runtime.retention, promise O7).
#pragma once

#include <vector>

#include "cli/context.h"
#include "flow/projection.h"
#include "store/store.h"

namespace wave::cli {

/// All runs, newest first.
Result<std::vector<flow::RunRow>> all_runs(store::Store& store);
/// Removes an ended run: workspaces, rows, spools. kRunLocked while somebody owns it.
Status remove_run(const Context& context, store::Store& store,
                  const std::filesystem::path& workspace_root, const std::string& run_id);
/// Removes what is beyond the manifest's bounds, oldest first; nothing where it sets none. What
/// cannot be removed is noted, and stays.
void apply_retention(const Context& context, store::Store& store);

}  // namespace wave::cli
