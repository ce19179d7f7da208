#include "base/disk.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace wave {
namespace {

constexpr uint64_t kMebibyte = 1ull << 20;
constexpr char kRoomHint[] = "free disk space, or let `wave clean` remove what ended runs left";

Status check_room(const std::filesystem::path& folder, const DiskRoom& room) {
  if (room.read_only) {
    return fail(Code::kDiskError,
                fmt::format("the file system of {} is read-only", folder.native()),
                "mount it writable; the system's log says what made it read-only");
  }
  if (room.free_bytes < kMinFreeBytes) {
    return fail(
        Code::kDiskFull,
        fmt::format("{} MiB of disk are free, a step needs 1 GiB", room.free_bytes / kMebibyte),
        kRoomHint);
  }
  if (room.free_inodes && *room.free_inodes < kMinFreeInodes) {
    return fail(Code::kDiskFull,
                fmt::format("{} inodes are free on the disk, a step needs {}", *room.free_inodes,
                            kMinFreeInodes),
                "remove files: the disk has bytes left, but no room for more files");
  }
  return {};
}

}  // namespace

Result<DiskRoom> disk_room(const std::filesystem::path& path) {
  struct statvfs info{};
  if (::statvfs(path.c_str(), &info) != 0) {
    return fail(errno_error(errno, "cannot ask for free space of", path.native()));
  }
  DiskRoom room;
  room.free_bytes = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (info.f_files != 0) room.free_inodes = info.f_favail;
  room.read_only = (info.f_flag & ST_RDONLY) != 0;
  return room;
}

bool is_of_disk(const Error& error) {
  return error.code == Code::kDiskFull || error.code == Code::kDiskError;
}

Ground::Ground(std::vector<std::filesystem::path> folders) {
  struct stat info{};
  for (std::filesystem::path& folder : folders) {
    if (::stat(folder.c_str(), &info) == 0) folders_.push_back(std::move(folder));
  }
}

Status Ground::check_present() const {
  struct stat info{};
  for (const std::filesystem::path& folder : folders_) {
    if (::stat(folder.c_str(), &info) == 0) continue;
    return fail(
        Code::kDiskError,
        fmt::format("{} is not there: {}", folder.native(), std::generic_category().message(errno)),
        "see whether its file system is mounted");
  }
  return {};
}

Status Ground::check() const {
  WAVE_CHECK(check_present());
  for (const std::filesystem::path& folder : folders_) {
    WAVE_TRY(const DiskRoom room, disk_room(folder));
    WAVE_CHECK(check_room(folder, room));
  }
  return {};
}

Result<DiskRoom> Ground::room() const {
  std::optional<DiskRoom> least;
  for (const std::filesystem::path& folder : folders_) {
    WAVE_TRY(const DiskRoom room, disk_room(folder));
    if (!least) {
      least = room;
      continue;
    }
    least->free_bytes = std::min(least->free_bytes, room.free_bytes);
    if (room.free_inodes) {
      least->free_inodes = std::min(*room.free_inodes, least->free_inodes.value_or(~0ull));
    }
    least->read_only |= room.read_only;
  }
  return least.value_or(DiskRoom{});
}

}  // namespace wave
