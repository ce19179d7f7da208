#include "workspace/beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "workspace/copy_file.h"

namespace wave::workspace {
namespace {

// openat2 can ask for another try when something was renamed meanwhile (EAGAIN).
constexpr int kMaxTries = 100;

Error escape_error(const fs::path& folder, std::string_view path) {
  return {Code::kPathEscape, fmt::format("\"{}\" leads out of {}", path, folder.native()),
          "use a relative path that stays inside the folder, also through symbolic links"};
}

Error beneath_error(int err, std::string_view doing, const fs::path& folder,
                    std::string_view path) {
  if (err == EXDEV || err == ELOOP) return escape_error(folder, path);
  return errno_error(err, doing, (folder / path).native());
}

int open_beneath(int folder, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int i = 0; i < kMaxTries; ++i) {
    const long fd = ::syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
  return -1;
}

}  // namespace

Result<Beneath> Beneath::open(const fs::path& folder) {
  WAVE_TRY(UniqueFd fd, wave::open_file(folder, O_PATH | O_DIRECTORY));
  return Beneath(folder, std::move(fd));
}

Result<UniqueFd> Beneath::open_file(std::string_view path, int flags, mode_t mode) const {
  if (path.contains('\0')) return fail(escape_error(folder_, path));
  const std::string name(path.empty() ? "." : path);
  UniqueFd fd(open_beneath(fd_.get(), name, flags, mode));
  if (fd.valid()) return fd;
  if (errno != ENOSYS) return fail(beneath_error(errno, "cannot open", folder_, path));
  // A kernel before 5.6: resolve, check, open. Not safe against a race, but against everything
  // else.
  WAVE_TRY(const fs::path real, path_within(folder_, name));
  fd.reset(::open(real.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd.valid()) return fail(beneath_error(errno, "cannot open", folder_, path));
  return fd;
}

Status Beneath::make_directories(std::string_view path) const {
  auto there = open_file(path, O_PATH | O_DIRECTORY);
  if (there || there.error().code != Code::kNotFound) return there ? Status{} : fail(there.error());
  WAVE_TRY(UniqueFd parent, open_file("", O_PATH | O_DIRECTORY));
  std::string done;
  for (const fs::path& part : fs::path(path)) {
    if (part.empty() || part == ".") continue;
    if (part == "..") return fail(escape_error(folder_, path));
    if (::mkdirat(parent.get(), part.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail(beneath_error(errno, "cannot create folder", folder_, path));
    }
    done += done.empty() ? part.native() : "/" + part.native();
    // From the top: what was there already may be a file, or a link that leads out.
    WAVE_TRY(parent, open_file(done, O_PATH | O_DIRECTORY));
  }
  return {};
}

Result<Beneath::Parent> Beneath::parent_of(std::string_view path) const {
  const fs::path wanted = fs::path(path).lexically_normal();
  const std::string name = wanted.filename().native();
  if (wanted.is_absolute() || name.empty() || name == "." || name == "..") {
    return fail(escape_error(folder_, path));
  }
  WAVE_TRY(UniqueFd fd, open_file(wanted.parent_path().native(), O_PATH | O_DIRECTORY));
  return Parent{std::move(fd), name};
}

template <typename Fill>
Status Beneath::place_with(std::string_view path, Fill fill) const {
  static std::atomic<uint64_t> counter{0};
  const fs::path wanted(path);
  if (wanted.has_parent_path()) WAVE_CHECK(make_directories(wanted.parent_path().native()));
  WAVE_TRY(const Parent parent, parent_of(path));
  const std::string temporary =
      fmt::format(".wave-{}-{}.tmp", ::getpid(), counter.fetch_add(1, std::memory_order_relaxed));
  ::unlinkat(parent.fd.get(), temporary.c_str(), 0);
  const UniqueFd fd(::openat(parent.fd.get(), temporary.c_str(),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!fd.valid()) return fail(beneath_error(errno, "cannot create", folder_, path));
  Status filled = fill(fd.get());
  if (filled &&
      ::renameat(parent.fd.get(), temporary.c_str(), parent.fd.get(), parent.name.c_str()) != 0) {
    filled = fail(
        errno == EISDIR || errno == ENOTEMPTY
            ? Error(Code::kConflict, fmt::format("{} is a folder", (folder_ / wanted).native()))
            : beneath_error(errno, "cannot place", folder_, path));
  }
  if (!filled) ::unlinkat(parent.fd.get(), temporary.c_str(), 0);
  return filled;
}

Status Beneath::place(std::string_view path, int source) const {
  return place_with(path, [&](int target) { return copy_bytes(source, target); });
}

Status Beneath::place_text(std::string_view path, std::string_view bytes) const {
  return place_with(path, [&](int target) { return write_all(target, bytes); });
}

Result<bool> Beneath::remove(std::string_view path) const {
  auto parent = parent_of(path);
  if (!parent && parent.error().code == Code::kNotFound) return false;
  if (!parent) return fail(std::move(parent).error());
  if (::unlinkat(parent->fd.get(), parent->name.c_str(), 0) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return false;
  return fail(beneath_error(errno, "cannot remove", folder_, path));
}

Result<std::optional<struct stat>> Beneath::stat(std::string_view path) const {
  auto parent = parent_of(path);
  if (!parent && parent.error().code == Code::kNotFound) return std::nullopt;
  if (!parent) return fail(std::move(parent).error());
  struct stat info{};
  if (::fstatat(parent->fd.get(), parent->name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
    return info;
  }
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  return fail(beneath_error(errno, "cannot look at", folder_, path));
}

}  // namespace wave::workspace
