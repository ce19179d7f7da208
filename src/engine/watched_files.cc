#include "engine/watched_files.h"

#include <sys/stat.h>

namespace wave::engine {
namespace {

// Kernels stamp files with a clock that ticks every 4 to 10 ms.
constexpr auto kSettled = std::chrono::milliseconds(100);

int64_t nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileMark mark_of(const std::filesystem::path& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<uint64_t>(info.st_size),
          .modified_ns = nanoseconds(info.st_mtim),
          .changed_ns = nanoseconds(info.st_ctim),
          .mode = info.st_mode};
}

bool are_unchanged(const FileMarks& marks) {
  return std::ranges::all_of(
      marks, [](const auto& entry) { return mark_of(entry.first) == entry.second; });
}

bool are_settled(const FileMarks& marks, std::chrono::system_clock::time_point now) {
  const int64_t latest =
      std::chrono::duration_cast<std::chrono::nanoseconds>((now - kSettled).time_since_epoch())
          .count();
  return std::ranges::all_of(marks, [&](const auto& entry) {
    return entry.second.modified_ns < latest && entry.second.changed_ns < latest;
  });
}

void WatchedSource::mark(std::string_view path) const {
  const std::filesystem::path full = root_ / std::filesystem::path(path).relative_path();
  const std::scoped_lock lock(mutex_);
  marks_.try_emplace(full, mark_of(full));
}

Result<std::string> WatchedSource::read(std::string_view path) const {
  mark(path);
  return inner_.read(path);
}

std::vector<std::string> WatchedSource::list(std::string_view path) const {
  mark(path);
  return inner_.list(path);
}

FileMarks WatchedSource::marks() const {
  const std::scoped_lock lock(mutex_);
  return marks_;
}

}  // namespace wave::engine
