// Files: bounded reads, durable writes, paths that stay where they have to stay.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wave {

namespace fs = std::filesystem;

/// Owns a file descriptor and closes it. Move-only.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release();
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

/// What stands at `path`: not_found only where nothing does (ENOENT, ENOTDIR). Whatever else keeps
/// it from being looked at is an error, and noted (ShortageWatch) where it may pass: a disk that
/// fails for a moment must not make anything look absent.
Result<fs::file_type> look_at(const fs::path& path);
/// The same, of a link itself.
Result<fs::file_type> look_at_link(const fs::path& path);
/// For code that goes on with "no" whatever the reason: it acts on nothing, or whoever acts on its
/// answer asks a ShortageWatch.
bool path_exists(const fs::path& path);
bool is_folder(const fs::path& path);
/// Opens with O_CLOEXEC added.
Result<UniqueFd> open_file(const fs::path& path, int flags, mode_t mode = 0644);
/// The whole file; kLimit when it is larger than `max_bytes`, kUsage when it is not a regular file.
Result<std::string> read_file(const fs::path& path, uint64_t max_bytes);
/// Up to `count` bytes from `offset`; less at the end of the file.
Result<std::string> read_range(const fs::path& path, uint64_t offset, uint64_t count);
/// Writes everything, whatever write(2) does in between.
Status write_all(int fd, std::string_view bytes);
/// The error of a write(2) that failed with this errno.
Error write_error(int err);
/// Whether such an error says that nobody is there any more to read a pipe or socket.
bool is_reader_gone(const Error& error);
/// Replaces the file's content; not durable, not atomic.
Status write_file(const fs::path& path, std::string_view bytes, mode_t mode = 0644);
/// Replaces the file atomically and durably: temporary file, fsync, rename, fsync of the folder.
Status write_file_durable(const fs::path& path, std::string_view bytes, mode_t mode = 0644);
/// fsync of a file or folder.
Status sync_path(const fs::path& path);
/// mkdir -p; new folders get `mode`.
Status make_directories(const fs::path& path, mode_t mode = 0755);
/// The same for a folder within `root`, which has to be there: what is not mounted is not made anew
/// (kDiskError).
Status make_directories_below(const fs::path& root, const fs::path& path, mode_t mode);
/// Whether `path` lies on a network file system (NFS, CIFS, 9p, AFS, fuse network mounts ...).
bool is_network_filesystem(const fs::path& path);

/// `root`/`relative` as an absolute path that lies within `root` after every symbolic link is
/// followed. kPathEscape for absolute paths, "..", or links that lead out. The last components need
/// not exist yet.
Result<fs::path> path_within(const fs::path& root, std::string_view relative);

}  // namespace wave
