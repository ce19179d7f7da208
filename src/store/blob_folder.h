// blobs/<sha256>: content by hash, one file each, mode 0600. A blob that has been put is on disk,
// with its name. Files never change; they go when no run names them any more.
#pragma once

#include <filesystem>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace wave::store {

/// Thread: any. Several processes may use one folder.
class BlobFolder {
 public:
  explicit BlobFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The hashes, in order. All contents are durable when it returns. kDiskFull, kLimit, else
  /// kStore.
  Result<std::vector<std::string>> put(std::span<const std::string_view> contents);
  /// Copies the file and hashes what was copied, so that a file that changes meanwhile does no
  /// harm.
  Result<std::string> put_file(const std::filesystem::path& path);
  /// kNotFound when it is not there; kLimit above 1 GiB.
  [[nodiscard]] Result<std::string> get(const std::string& sha256) const;
  [[nodiscard]] bool has(const std::string& sha256) const;
  [[nodiscard]] std::filesystem::path path(const std::string& sha256) const {
    return folder_ / sha256;
  }

  /// Whether a blob was put so recently that whoever put it may not have named it in the database
  /// yet.
  [[nodiscard]] bool is_young(const std::string& sha256) const;
  void remove(const std::string& sha256) const;
  /// The blobs in the folder; removes temporary files that a crash left.
  [[nodiscard]] std::vector<std::string> list() const;

 private:
  struct Written;
  Result<std::vector<std::string>> put_all(std::span<const std::string_view> contents);
  Result<Written> write_temporary(std::string_view content) const;
  bool reuse(const std::string& sha256, uint64_t size) const;
  Status publish(std::span<const Written> files);
  bool all_known_durable(std::span<const std::string> hashes);
  void note_durable(std::span<const std::string> hashes);

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> durable_;  // whose names are known to be on disk
};

}  // namespace wave::store
