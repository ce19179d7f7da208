#include "base/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace wave {
namespace {

constexpr std::string_view kReaderGone = "reader_gone";  // Error::reason

constexpr long kNetworkMagics[] = {
    0x6969 /* NFS */,      0xFF534D42 /* CIFS */,   0xFE534D42 /* SMB2 */,
    0x517B /* SMB */,      0x5346414F /* AFS */,    0x01021997 /* 9p */,
    0x47504653 /* GPFS */, 0x0BD00BD0 /* Lustre */, 0x00C36400 /* Ceph */};

Error file_error(std::string_view doing, const fs::path& path) {
  return errno_error(errno, doing, path.native());
}

}  // namespace

UniqueFd& UniqueFd::operator=(UniqueFd&& other) noexcept {
  if (this != &other) reset(other.release());
  return *this;
}

int UniqueFd::release() {
  return std::exchange(fd_, -1);
}

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

namespace {

fs::file_type type_of(mode_t mode) {
  if (S_ISREG(mode)) return fs::file_type::regular;
  if (S_ISDIR(mode)) return fs::file_type::directory;
  if (S_ISLNK(mode)) return fs::file_type::symlink;
  return fs::file_type::unknown;
}

Result<fs::file_type> looked_at(int result, const struct stat& info, const fs::path& path) {
  if (result == 0) return type_of(info.st_mode);
  if (errno == ENOENT || errno == ENOTDIR) return fs::file_type::not_found;
  return fail(errno_error(errno, "cannot look at", path.native()));
}

}  // namespace

Result<fs::file_type> look_at(const fs::path& path) {
  struct stat info{};
  return looked_at(::stat(path.c_str(), &info), info, path);
}

Result<fs::file_type> look_at_link(const fs::path& path) {
  struct stat info{};
  return looked_at(::lstat(path.c_str(), &info), info, path);
}

bool path_exists(const fs::path& path) {
  return look_at(path).value_or(fs::file_type::not_found) != fs::file_type::not_found;
}

bool is_folder(const fs::path& path) {
  return look_at(path).value_or(fs::file_type::not_found) == fs::file_type::directory;
}

Result<UniqueFd> open_file(const fs::path& path, int flags, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) return fail(file_error("cannot open", path));
  return fd;
}

Result<std::string> read_file(const fs::path& path, uint64_t max_bytes) {
  WAVE_TRY(const UniqueFd fd, open_file(path, O_RDONLY | O_NONBLOCK));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail(file_error("cannot read", path));
  if (!S_ISREG(info.st_mode)) {
    return fail(Code::kUsage, fmt::format("{} is not a regular file", path.native()));
  }
  std::string bytes;
  constexpr size_t kUnsaid = 4096;  // files of /proc have no size
  bytes.resize(info.st_size > 0 ? static_cast<size_t>(info.st_size) + 1 : kUnsaid);
  size_t used = 0;
  while (true) {
    const ssize_t got = ::read(fd.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error("cannot read", path));
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > max_bytes) {
      return fail(Code::kLimit,
                  fmt::format("{} is larger than {} bytes", path.native(), max_bytes));
    }
    if (used == bytes.size()) bytes.resize(bytes.size() * 2);
  }
  bytes.resize(used);
  return bytes;
}

Result<std::string> read_range(const fs::path& path, uint64_t offset, uint64_t count) {
  WAVE_TRY(const UniqueFd fd, open_file(path, O_RDONLY | O_NONBLOCK));
  std::string bytes(count, '\0');
  size_t used = 0;
  while (used < count) {
    const ssize_t got =
        ::pread(fd.get(), bytes.data() + used, count - used, static_cast<off_t>(offset + used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(file_error("cannot read", path));
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  bytes.resize(used);
  return bytes;
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(write_error(errno));
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return {};
}

Error write_error(int err) {
  Error error = errno_error(err, "cannot write");
  if (err == EPIPE || err == ECONNRESET) error.reason = kReaderGone;
  return error;
}

bool is_reader_gone(const Error& error) {
  return error.reason == kReaderGone;
}

Status write_file(const fs::path& path, std::string_view bytes, mode_t mode) {
  WAVE_TRY(const UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_TRUNC, mode));
  if (auto written = write_all(fd.get(), bytes); !written) {
    return fail(written.error().wrapped("cannot write " + path.native()));
  }
  return {};
}

Status write_file_durable(const fs::path& path, std::string_view bytes, mode_t mode) {
  std::string temporary = path.native() + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return fail(file_error("cannot create a file beside", path));
  const auto give_up = [&](Error error) {
    ::unlink(temporary.c_str());
    return fail(error.wrapped("cannot write " + path.native()));
  };
  if (auto written = write_all(fd.get(), bytes); !written) return give_up(written.error());
  if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0 ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    return give_up(errno_error(errno, "cannot store"));
  }
  return sync_path(path.parent_path().empty() ? fs::path(".") : path.parent_path());
}

Status sync_path(const fs::path& path) {
  WAVE_TRY(const UniqueFd fd, open_file(path, O_RDONLY));
  if (::fsync(fd.get()) != 0) return fail(file_error("cannot sync", path));
  return {};
}

Status make_directories(const fs::path& path, mode_t mode) {
  if (path.empty()) return {};
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
    errno = ENOTDIR;
    return fail(file_error("cannot create folder", path));
  }
  if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) {
    return fail(file_error("cannot create folder", path));
  }
  WAVE_CHECK(make_directories(path.parent_path(), mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) {
    return fail(file_error("cannot create folder", path));
  }
  return {};
}

Status make_directories_below(const fs::path& root, const fs::path& path, mode_t mode) {
  struct stat info{};
  if (::stat(root.c_str(), &info) != 0) {
    return fail(Code::kDiskError, file_error("cannot use folder", root).message,
                "see whether its file system is mounted");
  }
  return make_directories(path, mode);
}

bool is_network_filesystem(const fs::path& path) {
  struct statfs info{};
  if (::statfs(path.c_str(), &info) != 0) return false;
  const auto magic = static_cast<uint32_t>(info.f_type);
  for (const long known : kNetworkMagics) {
    if (magic == static_cast<uint32_t>(known)) return true;
  }
  return false;
}

Result<fs::path> path_within(const fs::path& root, std::string_view relative) {
  const fs::path wanted(relative);
  const auto refuse = [&] {
    return fail(Code::kPathEscape, fmt::format("\"{}\" leads out of {}", relative, root.native()),
                "use a relative path without \"..\" that stays inside the folder");
  };
  if (wanted.is_absolute() || relative.contains('\0')) return refuse();
  for (const fs::path& part : wanted) {
    if (part == "..") return refuse();
  }
  std::error_code error;
  const fs::path real_root = fs::weakly_canonical(root, error);
  if (error) return fail(errno_error(error.value(), "cannot resolve", root.native()));
  const fs::path real = fs::weakly_canonical(real_root / wanted, error);
  if (error) return fail(errno_error(error.value(), "cannot resolve", relative));
  const fs::path inside = real.lexically_relative(real_root);
  if (inside.empty() || *inside.begin() == "..") return refuse();
  return real;
}

}  // namespace wave
