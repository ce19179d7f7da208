// Reading git's index, where that is simple, instead of starting git: with 40,000 files that saves
// most of what a look around costs. Odd layouts (split, sparse) answer "unknown", and the caller
// asks git. gitformat-index(5).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wave::workspace {

struct IndexEntry {
  std::string_view path;
  uint32_t mode = 0;    // as git writes it: 0100644, 0100755, 0120000, 0160000
  std::string_view id;  // its bytes, not digits
};

struct IndexFile {
  /// The tree of exactly this content, in digits; empty where git has not computed it.
  std::string tree;
};

/// Calls `take` for every path (several times for one in the middle of a merge). A file that is not
/// there is an empty index. nothing: cannot be told without git. kLimit for one beyond 1 GiB.
Result<std::optional<IndexFile>> read_index(const std::filesystem::path& file, size_t id_size,
                                            const std::function<void(const IndexEntry&)>& take);

/// An object id in digits.
std::string id_text(std::string_view id);

}  // namespace wave::workspace
