// The project that `wave serve --demo` serves: a fresh copy of the demo, in a git repository of its
// own.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace wave::server {

/// Owns the folder: unless it is to be kept, it is removed with the object.
class DemoProject {
 public:
  /// Writes the demo into `folder`, which has to be new or empty and is kept, or, when it is empty,
  /// into a new temporary folder below `temporary`. kConflict for a folder that holds something,
  /// kIo, kGit.
  static Result<DemoProject> write(const std::filesystem::path& folder,
                                   const std::filesystem::path& temporary);
  DemoProject(DemoProject&& other) noexcept;
  DemoProject& operator=(DemoProject&&) = delete;
  ~DemoProject();

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] bool is_kept() const { return is_kept_; }

 private:
  DemoProject(std::filesystem::path folder, bool is_kept)
      : folder_(std::move(folder)), is_kept_(is_kept) {}

  std::filesystem::path folder_;  // empty: moved from
  bool is_kept_ = false;
};

}  // namespace wave::server
