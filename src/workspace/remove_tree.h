// Deleting a folder that agents may have filled with anything.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace wave::workspace {

/// Removes `path` and everything in it, read-only folders too. Symbolic links are removed, never
/// followed. Nothing there is success. Other file systems mounted below are not entered.
Status remove_tree(const std::filesystem::path& path);

}  // namespace wave::workspace
