// What the disk under a folder has to give right now, and whether the folder is still there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/result.h"

namespace wave {

/// Below these no step starts and no run is accepted (promises S4, O3).
inline constexpr uint64_t kMinFreeBytes = 1ull << 30;
inline constexpr uint64_t kMinFreeInodes = 1'000;

struct DiskRoom {
  uint64_t free_bytes = 0;
  std::optional<uint64_t> free_inodes;  // nothing where the file system does not count them
  bool read_only = false;
};

/// Of the file system that holds `path`.
Result<DiskRoom> disk_room(const std::filesystem::path& path);

/// Whether the error says that the disk takes no more, is read-only, fails or is gone: that passes,
/// or somebody makes it pass.
bool is_of_disk(const Error& error);

/// Folders that all work stands on. A file system that is unmounted leaves an empty folder behind,
/// in which nothing must be taken for gone, or made anew: so a folder counts as there only while it
/// has what it had at the start. Immutable; thread: any.
class Ground {
 public:
  /// Remembers each of `folders` that exists now. Put a folder first that lies within the others.
  explicit Ground(std::vector<std::filesystem::path> folders);

  /// kDiskError when one of them is not there.
  [[nodiscard]] Status check_present() const;
  /// That, and kDiskFull or kDiskError when one has too little room, too few inodes, or is
  /// read-only. Costs two system calls a folder and writes nothing.
  [[nodiscard]] Status check() const;
  /// The least room of all of them.
  [[nodiscard]] Result<DiskRoom> room() const;

 private:
  std::vector<std::filesystem::path> folders_;
};

}  // namespace wave
