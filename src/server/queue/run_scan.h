// What the store and the locks say about the runs that have not ended.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/store.h"

namespace wave::server::queue {

struct ScannedRun {
  store::LiveRun run;
  bool held = false;  // a living process owns it
};

/// Those with an id above `after`, oldest first. The locks of `ours` are not looked at: they would
/// say that we hold them. Thread: any.
Result<std::vector<ScannedRun>> scan_runs(store::Store& store, const store::StatePaths& paths,
                                          int64_t after, const std::set<std::string>& ours);

}  // namespace wave::server::queue
