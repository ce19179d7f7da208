// Which git works for a run. Each one that wave starts holds the run's work lock, shared, through a
// descriptor that it inherits: it is locked exactly as long as a git of the run lives, whether or
// not the wave that started it does. Who takes the run up takes the lock alone before anything
// else.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string_view>

#include "base/file.h"
#include "base/result.h"
#include "workspace/run_folder.h"

namespace wave::workspace {

/// In the environment of each git that works for a run: WAVE_GIT=<run id>. Only to end it early;
/// that it has ended is said by the lock.
inline constexpr std::string_view kGitMark = "WAVE_GIT";

/// The lock as a git of this run is to inherit it.
Result<UniqueFd> share_work(const std::filesystem::path& run_folder,
                            const std::stop_token& stop = {});

/// The lock alone: ends the git that a dead owner left at work (asks it, kills it, waits). Not
/// valid where no git has ever worked for the run. kGit when one does not end. While it is
/// held, no git starts for the run.
Result<UniqueFd> take_work(const RunFolder& run, const std::stop_token& stop = {});

}  // namespace wave::workspace
