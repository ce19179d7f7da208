// The copy of a project's folder that a mount puts into a workspace.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <set>
#include <stop_token>
#include <string>

#include "base/result.h"

namespace wave::workspace {

struct CopyRules {
  std::filesystem::path source;  // real path; links that lead out of it are left out
  /// Left out whatever it is called: the folder that holds the workspaces.
  std::filesystem::path never;
  /// Whether a folder whose name is usual for build results (build, dist, vendor ...) holds
  /// sources; the path is relative to `source`. Asked only when one is met.
  std::function<bool(const std::string& path)> is_source_folder;
  std::stop_token stop{};  // ends it early: kInterrupted
};

struct CopyCount {
  uint64_t files = 0, bytes = 0;
  uint64_t too_large = 0;  // files left out for their size
};

/// Copies the content of rules.source into the existing folder `target`, with modes and times. Left
/// out: dependency folders and caches, .git, .agents, .claude, files over 10 MB, devices and
/// sockets, links that lead out. kLimit beyond 500,000 files, 8 GiB or 200 levels.
Result<CopyCount> copy_tree(const CopyRules& rules, const std::filesystem::path& target);

/// Takes the write permission from everything in `folder` and from itself, but not from `except`.
Status make_read_only(const std::filesystem::path& folder,
                      const std::set<std::filesystem::path>& except);

}  // namespace wave::workspace
