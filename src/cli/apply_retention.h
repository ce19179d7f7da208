// Keeping the manifest's word on how much of ended runs is kept (runtime.retention, promise O7).
#pragma once

#include <stop_token>
#include <vector>

#include "cli/context.h"
#include "flow/projection.h"
#include "store/store.h"

namespace wave::cli {

/// All runs, newest first.
Result<std::vector<flow::RunRow>> all_runs(store::Store& store);
/// Removes an ended run: workspaces, rows, spools. kRunLocked while somebody owns it; kInterrupted
/// when asked to stop: then it is still there, if perhaps with less of its workspaces.
Status remove_run(const Context& context, store::Store& store,
                  const std::filesystem::path& workspace_root, const std::string& run_id,
                  const std::stop_token& stop = {});
/// Removes what is beyond the manifest's bounds, oldest first; nothing where it sets none. What
/// cannot be removed is noted, and stays; so does what is left when asked to stop.
void apply_retention(const Context& context, store::Store& store, const std::stop_token& stop);

}  // namespace wave::cli
