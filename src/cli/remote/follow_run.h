// Showing a run that a server drives, as a run in this process is shown.
#pragma once

#include "cli/run_access.h"

namespace wave::cli {

/// Shows the run from its beginning until it has ended. Ctrl-C ends the showing, not the run.
/// Returns the run's exit code, 130 when the showing was ended before.
Result<int> follow_run(const Context& context, RunAccess& runs, const std::string& run_id);

}  // namespace wave::cli
