// Keeping the manifest's word on how much of ended runs is kept (runtime.retention, promise O7).
#pragma once

#include <deque>
#include <set>
#include <stop_token>
#include <vector>

#include "cli/context.h"
#include "flow/projection.h"
#include "store/store.h"

namespace wave::cli {

/// All runs, newest first.
Result<std::vector<flow::RunRow>> all_runs(store::Store& store);
/// When to leave what is being removed.
struct RemovalLimits {
  std::stop_token stop{};   // at once, whatever it costs to begin again
  std::stop_token pause{};  // where the next call goes on
};
/// Removes an ended run: workspaces, rows, spools. kRunLocked while somebody owns it; kInterrupted
/// when asked to stop: then it is still there, if perhaps with less of its workspaces.
Status remove_run(const Context& context, store::Store& store,
                  const std::filesystem::path& workspace_root, const std::string& run_id,
                  const RemovalLimits& limits = {});

/// Removes what is beyond the manifest's bounds, a little at a time and oldest first; nothing where
/// it sets none. What cannot be removed is noted, and stays.
/// Invariant: each call does bounded work, and what it leaves is where the next call goes on.
/// Thread: one at a time.
class Retention {
 public:
  explicit Retention(const Context& context) : context_(context) {}
  /// Works until nothing is left to do or a limit is reached. Whether something is left.
  bool work(store::Store& store, const RemovalLimits& limits);

 private:
  /// False: not to the end.
  bool look(store::Store& store, const std::stop_token& pause);

  const Context& context_;
  std::filesystem::path workspace_root_;
  std::deque<std::string> beyond_;  // runs, the next one first
  std::set<std::string> noted_;     // those that could not be removed: said once
  MonoTime next_look_{};            // at what is beyond
  bool gives_back_ = false;         // there may be free pages
};

/// After a run in the foreground, whose user waits: does some of it in a moment. Where a server
/// lives, that is the server's affair.
void apply_retention_briefly(const Context& context, store::Store& store,
                             const std::stop_token& stop);

}  // namespace wave::cli
