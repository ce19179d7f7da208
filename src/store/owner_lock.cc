#include "store/owner_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "base/text.h"

namespace wave::store {
namespace {

// Open-file-description locks (fcntl(2)): they end with the last descriptor, as flock's do, and
// they can be asked about without being taken, so that looking never gets in the way of an owner.
struct flock whole_file(short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// Field 22 of /proc/<pid>/stat: tells a process from a later one with the same number.
std::string start_time(int64_t pid) {
  const auto stat = read_file(fmt::format("/proc/{}/stat", pid), 4096);
  if (!stat) return {};
  // The second field is the program's name in parentheses, and may hold anything.
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return {};
  const std::vector<std::string> fields = split(trim(stat->substr(name_end + 1)), ' ');
  constexpr size_t kStartTime = 22 - 3;  // the rest begins with field 3
  return fields.size() > kStartTime ? fields[kStartTime] : std::string();
}

/// What the holder wrote: "<pid> <start time>". Empty when that process is not there (any more).
std::string holder_pid(const fs::path& path) {
  const auto text = read_file(path, 256);
  if (!text) return {};
  const std::vector<std::string> words = split(trim(*text), ' ');
  if (words.size() != 2) return {};
  int64_t pid = 0;
  const auto [end, error] =
      std::from_chars(words[0].data(), words[0].data() + words[0].size(), pid);
  if (error != std::errc() || *end != '\0' || pid <= 0 || start_time(pid) != words[1]) return {};
  return words[0];
}

Error locked(const fs::path& path, const std::string& run_id) {
  const std::string pid = holder_pid(path);
  return {Code::kRunLocked,
          pid.empty() ? fmt::format("run {} is being worked on by another process", run_id)
                      : fmt::format("run {} is being worked on by process {}", run_id, pid),
          "wait for it to end, or follow it with `wave logs --follow`"};
}

}  // namespace

Result<OwnerLock> OwnerLock::acquire(const StatePaths& paths, const std::string& run_id) {
  if (!is_safe_name(run_id)) {
    return fail(Code::kUsage, fmt::format("\"{}\" is not a run id", run_id));
  }
  WAVE_CHECK(make_directories_below(paths.state(), paths.run(run_id), 0700));
  const fs::path path = paths.owner_lock(run_id);
  WAVE_TRY(UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct flock lock = whole_file(F_WRLCK);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) return fail(locked(path, run_id));
    return fail(errno_error(errno, "cannot lock", path.native()));
  }
  // Only for the message that others print; the lock itself is what counts, also on a full disk.
  const std::string holder = fmt::format("{} {}\n", ::getpid(), start_time(::getpid()));
  if (::ftruncate(file.get(), 0) == 0) (void)write_all(file.get(), holder);
  return OwnerLock(std::move(file));
}

bool OwnerLock::is_held(const StatePaths& paths, const std::string& run_id) {
  const auto file = open_file(paths.owner_lock(run_id), O_RDWR | O_NOFOLLOW);
  if (!file) return file.error().code == Code::kScarce;  // nobody can tell: somebody may
  struct flock lock = whole_file(F_WRLCK);
  return ::fcntl(file->get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace wave::store
