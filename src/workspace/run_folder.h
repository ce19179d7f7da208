// A run's folder below the workspace root: `<step>` and `__wt_<branch>` are workspaces, `.wave` is
// ours:
// `<workspace>.ready` says that a workspace is complete and what it was made from,
// `<workspace>.lock` lets one maker in.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace wave::workspace {

/// What a finished mount or worktree says about itself, in its ready file.
struct Ready {
  std::string cwd;                  // relative to the workspace
  std::string branch, base;         // worktree: as asked for; branch empty when detached
  bool created_branch = false;      // by us
  std::vector<std::string> hidden;  // instruction files that no checkpoint holds
};

class RunFolder {
 public:
  /// kUsage for unsafe names, kPathEscape when the workspace root leaves the project.
  static Result<RunFolder> locate(const std::filesystem::path& project,
                                  const std::filesystem::path& workspace_root,
                                  const std::string& run_id);
  /// The one at a path that is known to be one.
  static RunFolder at(std::filesystem::path path) { return RunFolder(std::move(path)); }
  /// The run folder that a workspace lies in directly, judged by its path alone.
  static RunFolder around(const std::filesystem::path& workspace);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path workspace(const std::string& name) const {
    return path_ / name;
  }
  [[nodiscard]] std::filesystem::path own() const { return path_ / ".wave"; }

  [[nodiscard]] std::optional<Ready> ready(const std::string& name) const;
  [[nodiscard]] std::vector<Ready> all_ready() const;
  /// Durable when it returns.
  Status mark_ready(const std::string& name, const Ready& ready) const;
  Status clear_ready(const std::string& name) const;

  /// Held by one thread of one process; released with the descriptor, or with the process. kTimeout
  /// after two minutes.
  Result<UniqueFd> lock(const std::string& name, const std::stop_token& stop = {}) const;

 private:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace wave::workspace
