// Files below a folder that somebody hostile may be changing: every path is resolved by the kernel
// (openat2, RESOLVE_BENEATH), so that no "..", absolute path or symbolic link leads out, not even
// one that appears between a check and its use.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace wave::workspace {

/// Owns a descriptor of the folder. Paths are relative to it; links that stay inside are followed.
/// kPathEscape for what would leave it. Thread: any.
class Beneath {
 public:
  static Result<Beneath> open(const std::filesystem::path& folder);

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  Result<UniqueFd> open_file(std::string_view path, int flags, mode_t mode = 0644) const;
  /// mkdir -p.
  Status make_directories(std::string_view path) const;
  /// Puts a copy of the open file `source` at `path`, atomically: readers see the old file or the
  /// new one. Folders are made as needed. A link at `path` itself is replaced, not followed.
  Status place(std::string_view path, int source) const;
  /// The same with these bytes.
  Status place_text(std::string_view path, std::string_view bytes) const;
  /// Removes a file or link, not a folder. True when there was one.
  Result<bool> remove(std::string_view path) const;
  /// lstat; nothing when there is no such file.
  Result<std::optional<struct stat>> stat(std::string_view path) const;

 private:
  struct Parent {
    UniqueFd fd;
    std::string name;
  };
  Beneath(std::filesystem::path folder, UniqueFd fd)
      : folder_(std::move(folder)), fd_(std::move(fd)) {}
  /// The folder a path's last component lies in, and that component.
  Result<Parent> parent_of(std::string_view path) const;
  template <typename Fill>
  Status place_with(std::string_view path, Fill fill) const;

  std::filesystem::path folder_;
  UniqueFd fd_;
};

}  // namespace wave::workspace
