// Waiting in a short command for something to happen to a run that another process owns.
#pragma once

#include <functional>

#include "base/clock.h"
#include "store/store.h"

namespace wave::cli {

/// Calls `happened` now and after every change of the store until it is true, or `deadline` has
/// passed. Blocks; wakes at least every two seconds.
Result<bool> wait_until(store::Store& store, Millis deadline,
                        const std::function<Result<bool>()>& happened);

}  // namespace wave::cli
