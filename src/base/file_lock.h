// Locks on files and folders that several processes respect.
#pragma once

#include <stop_token>

#include "base/clock.h"
#include "base/file.h"

namespace wave {

/// Takes flock(2)'s exclusive lock on an open file or folder; it ends with the last descriptor of
/// it, or with the process. Blocks for at most `timeout`, then kTimeout, or until `stop`, then
/// kInterrupted. Errors name `path`.
Status lock_exclusively(const UniqueFd& file, Millis timeout, const fs::path& path,
                        const std::stop_token& stop = {});
/// The same for flock(2)'s shared lock.
Status lock_shared(const UniqueFd& file, Millis timeout, const fs::path& path,
                   const std::stop_token& stop = {});

}  // namespace wave
