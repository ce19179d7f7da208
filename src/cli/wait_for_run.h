// Waiting in a short command for something to happen to a run that somebody else drives.
#pragma once

#include <functional>

#include "base/clock.h"
#include "cli/run_access.h"

namespace wave::cli {

/// Calls `happened` now and whenever there may be events of the run behind `after`, until it is
/// true, or `deadline` has passed. Blocks; wakes at least every two seconds. An error when nothing
/// more can be learned (the server is gone for good).
Result<bool> wait_until(RunAccess& runs, const std::string& run_id, uint64_t after, Millis deadline,
                        const std::function<Result<bool>()>& happened);

}  // namespace wave::cli
