// A folder's entries as a list, without exceptions.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"

namespace wave::workspace {

/// Full paths, in no particular order.
Result<std::vector<std::filesystem::path>> list_folder(const std::filesystem::path& folder);

}  // namespace wave::workspace
