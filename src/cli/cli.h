// cli: the command line. One file per command; parse.cc alone knows the parser library; what people
// see of a run is made by view_model (fold of its events), render (lines) and run_view (when and
// where). Commands talk to runs through the store and the engine only, so that every door of wave
// (terminal, server, browser) sees and does the same.
#pragma once

#include <string>
#include <vector>

namespace wave::cli {

/// Everything after `main` has looked for the program's inner doors. `args` is without argv[0].
/// Returns the exit code: 0 completed or completed_empty, 1 failed, 2 usage, 3 invalid manifest or
/// pipeline, 4 rejected, 5 refused, 6 store, 7 server unreachable, 8 cancelled, 130 interrupted.
/// Call it before any thread exists: a command that executes runs forks its launcher first.
int run_main(const std::vector<std::string>& args);

}  // namespace wave::cli
