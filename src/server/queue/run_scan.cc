#include "server/queue/run_scan.h"

#include "store/owner_lock.h"

namespace wave::server::queue {

Result<std::vector<ScannedRun>> scan_runs(store::Store& store, const store::StatePaths& paths,
                                          int64_t after, const std::set<std::string>& ours) {
  WAVE_TRY(std::vector<store::LiveRun> live, store.live_runs(after));
  std::vector<ScannedRun> runs;
  runs.reserve(live.size());
  for (store::LiveRun& run : live) {
    const bool held = !ours.contains(run.run_id) && store::OwnerLock::is_held(paths, run.run_id);
    runs.push_back({std::move(run), held});
  }
  return runs;
}

}  // namespace wave::server::queue
