#include "workspace/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/file.h"

namespace wave::workspace {
namespace {

// Each level holds a descriptor open. What is deeper is moved up, and is then less deep.
constexpr int kMostLevels = 48;
constexpr Millis kRefillPatience{2'000};
constexpr int kRefillPause = 20;  // ms

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

Error removal_error(std::string_view name) {
  return errno_error(errno, "cannot remove", name);
}

bool is_dot(std::string_view name) {
  return name == "." || name == "..";
}

/// What one removal goes by.
struct Removal {
  dev_t device = 0;  // other file systems are not entered
  std::stop_token stop{};
  MonoTime deadline;  // for whoever still writes into it
  int top = -1;       // the folder that is removed; where deep ones are moved to
  int moved = 0;
};

Status remove_entry(int parent, const std::string& name, Removal& how, int depth);

// All names first: deleting while reading may hide entries from the reader.
Result<std::vector<std::string>> names_in(int folder) {
  UniqueFd copy(::fcntl(folder, F_DUPFD_CLOEXEC, 0));
  if (!copy.valid()) return fail(removal_error("a folder's content"));
  const Dir dir(::fdopendir(copy.get()));
  if (!dir) return fail(removal_error("a folder's content"));
  (void)copy.release();    // closed with the stream
  ::rewinddir(dir.get());  // the position is shared with whoever read this folder before
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
  }
  return names;
}

Status remove_content(int folder, Removal& how, int depth) {
  WAVE_TRY(const std::vector<std::string> names, names_in(folder));
  for (const std::string& name : names) WAVE_CHECK(remove_entry(folder, name, how, depth));
  return {};
}

/// A folder is moved only by who may write into it, as its `..` changes.
Status move_up(int parent, const std::string& name, Removal& how) {
  ::fchmodat(parent, name.c_str(), 0700, 0);
  const std::string up = fmt::format(".wave-removes-{}", ++how.moved);
  if (::renameat(parent, name.c_str(), how.top, up.c_str()) == 0) return {};
  return fail(removal_error(name));
}

Status remove_folder(int parent, const std::string& name, Removal& how, int depth) {
  if (depth > kMostLevels) return move_up(parent, name, how);
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd folder(::openat(parent, name.c_str(), kFlags));
  if (!folder.valid() && errno == EACCES) {
    ::fchmodat(parent, name.c_str(), 0700, 0);
    folder.reset(::openat(parent, name.c_str(), kFlags));
  }
  if (!folder.valid() && errno == ENOENT) return {};  // somebody else removes it too
  struct stat info{};
  if (!folder.valid() || ::fstat(folder.get(), &info) != 0) return fail(removal_error(name));
  if (info.st_dev != how.device) {
    return fail(Code::kConflict, fmt::format("{} is a mounted file system", name), "unmount it");
  }
  if ((info.st_mode & S_IRWXU) != S_IRWXU) ::fchmod(folder.get(), 0700);
  if (depth == 0) how.top = folder.get();
  while (true) {
    const int moved = how.moved;
    WAVE_CHECK(remove_content(folder.get(), how, depth + 1));
    if (depth == 0 && how.moved > moved) continue;
    if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
    // Somebody wrote into it meanwhile, and may be about to end.
    const bool refilled = errno == ENOTEMPTY || errno == EEXIST;
    const Error error = removal_error(name);
    if (!refilled || SystemClock().mono() >= how.deadline) return fail(error);
    ::poll(nullptr, 0, kRefillPause);
  }
}

Status remove_entry(int parent, const std::string& name, Removal& how, int depth) {
  if (how.stop.stop_requested()) return fail(Code::kInterrupted, "the removal was interrupted");
  if (::unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR) return remove_folder(parent, name, how, depth);
  return fail(removal_error(name));
}

}  // namespace

Status remove_tree(const fs::path& path, const std::stop_token& stop) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return fail(removal_error(path.native()));
  }
  WAVE_TRY(const UniqueFd parent, open_file(path.parent_path(), O_PATH | O_DIRECTORY));
  Removal how{info.st_dev, stop, SystemClock().mono() + kRefillPatience};
  if (auto removed = remove_entry(parent.get(), path.filename(), how, 0); !removed) {
    return fail(removed.error().wrapped("cannot remove " + path.native()));
  }
  return {};
}

}  // namespace wave::workspace
