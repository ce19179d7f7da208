// Which runs `wave clean` may remove (promise O7). Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"
#include "flow/projection.h"

namespace wave::cli {

/// Ids of the runs to remove, oldest first: those that `options` select, without live ones, and
/// without those that a run that stays and is live was made from, over any number of generations.
/// `rows` are all runs, newest first.
std::vector<std::string> select_for_removal(const std::vector<flow::RunRow>& rows,
                                            const CleanOptions& options, WallTime now);

}  // namespace wave::cli
