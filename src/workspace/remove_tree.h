// Deleting a folder that agents may have filled with anything.
#pragma once

#include <filesystem>
#include <stop_token>

#include "base/result.h"

namespace wave::workspace {

/// Removes `path` and everything in it, read-only folders too. Symbolic links are removed, never
/// followed. Nothing there is success. Other file systems mounted below are not entered.
/// kInterrupted when `stop` asks for it: what is left is for the next call.
Status remove_tree(const std::filesystem::path& path, const std::stop_token& stop = {});

}  // namespace wave::workspace
