#include "workspace/abandoned_objects.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <vector>

#include "base/clock.h"
#include "base/file.h"

namespace wave::workspace {
namespace {

constexpr Millis kSettled{50};

bool is_unfinished(std::string_view name) {
  return name.starts_with("tmp_pack_") || name.starts_with("tmp_obj_") ||
         name.starts_with("tmp_idx_");
}

// A write lease is granted only to a file's sole opener (fcntl(2)). Where there are no leases,
// nobody knows, and the file stays.
bool nobody_has_open(const fs::path& file) {
  const auto fd = open_file(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd || ::fcntl(fd->get(), F_SETLEASE, F_WRLCK) != 0) return false;
  ::fcntl(fd->get(), F_SETLEASE, F_UNLCK);
  return true;
}

std::vector<fs::path> abandoned_in(const fs::path& folder, fs::file_time_type since) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (!is_unfinished(at->path().filename().native())) continue;
    if (at->last_write_time(ignored) < since || !nobody_has_open(at->path())) continue;
    found.push_back(at->path());
  }
  return found;
}

}  // namespace

void remove_abandoned_objects(const GitDir& repository, fs::file_time_type since) {
  const fs::path objects = repository.common_dir / "objects";
  std::vector<fs::path> abandoned;
  std::error_code error;
  for (fs::directory_iterator at(objects, error), end; !error && at != end; at.increment(error)) {
    std::ranges::move(abandoned_in(at->path(), since), std::back_inserter(abandoned));
  }
  if (abandoned.empty()) return;
  ::poll(nullptr, 0, static_cast<int>(kSettled.count()));
  for (const fs::path& file : abandoned) {
    if (nobody_has_open(file)) ::unlink(file.c_str());
  }
}

}  // namespace wave::workspace
