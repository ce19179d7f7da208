#include "store/server_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "base/text.h"

namespace wave::store {
namespace {

fs::path lock_path(const StatePaths& paths) {
  return paths.state() / "server.lock";
}

// The bytes that are locked. They need not exist.
constexpr off_t kWriting = 0;  // shared by who writes, exclusive by a server
constexpr off_t kServer = 1;   // by a server, and by one that comes
constexpr Millis kWritersEndWithin{10'000};
constexpr Millis kLookAgain{2};

struct flock byte_lock(short type, off_t byte) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

bool is_taken(int error) {
  return error == EAGAIN || error == EACCES;
}

/// Takes or changes a lock without waiting; the errno, 0 when it is there.
int try_lock(const UniqueFd& file, short type, off_t byte) {
  struct flock lock = byte_lock(type, byte);
  return ::fcntl(file.get(), F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

/// Whether a server holds the file or is about to.
bool has_server(const UniqueFd& file) {
  struct flock lock = byte_lock(F_RDLCK, kServer);
  return ::fcntl(file.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Status wait_for_writers(const UniqueFd& file, const fs::path& path) {
  const auto end = std::chrono::steady_clock::now() + kWritersEndWithin;
  while (true) {
    const int error = try_lock(file, F_WRLCK, kWriting);
    if (error == 0) return {};
    if (!is_taken(error)) return fail(errno_error(error, "cannot lock", path.native()));
    if (std::chrono::steady_clock::now() > end) {
      return fail(
          Code::kStoreBusy, "another process of wave has been writing to the database for 10 s",
          "see whether one is suspended (jobs, ps), let it go on or end it, then try again");
    }
    std::this_thread::sleep_for(kLookAgain);
  }
}

}  // namespace

Result<ServerLock> ServerLock::acquire(const StatePaths& paths) {
  WAVE_CHECK(make_directories(paths.state(), 0700));
  const fs::path path = lock_path(paths);
  WAVE_TRY(UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (const int error = try_lock(file, F_WRLCK, kServer); error != 0) {
    if (!is_taken(error)) return fail(errno_error(error, "cannot lock", path.native()));
    const auto other = living_server(paths);
    const std::string where = other && !other->url.empty()
                                  ? fmt::format(" at {} (process {})", other->url, other->pid)
                                  : std::string();
    return fail(Code::kConflict, "a server of this project runs already" + where,
                "use that one, or stop it first");
  }
  WAVE_CHECK(wait_for_writers(file, path));
  ServerLock held(std::move(file));
  WAVE_CHECK(held.announce(""));
  return held;
}

Status ServerLock::announce(const std::string& url) {
  const std::string text = fmt::format("{} {}\n", ::getpid(), url);
  if (::ftruncate(file_.get(), 0) != 0 || ::lseek(file_.get(), 0, SEEK_SET) != 0) {
    return fail(errno_error(errno, "writing the server's address"));
  }
  return write_all(file_.get(), text);
}

Result<bool> WriteTurn::take() {
  if (!file_.valid()) {
    WAVE_TRY(file_, open_file(lock_path(paths_), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  }
  const int error = try_lock(file_, F_RDLCK, kWriting);
  if (error != 0 && !is_taken(error)) {
    return fail(errno_error(error, "cannot lock", lock_path(paths_).native()));
  }
  const bool mine = error == 0 && !has_server(file_);
  if (!mine) give_back();
  return mine;
}

void WriteTurn::give_back() {
  if (file_.valid()) (void)try_lock(file_, F_UNLCK, kWriting);
}

std::optional<LivingServer> living_server(const StatePaths& paths) {
  const fs::path path = lock_path(paths);
  const auto file = open_file(path, O_RDONLY | O_NOFOLLOW);
  if (!file && file.error().code == Code::kScarce) return LivingServer{};  // there may be one
  if (!file) return std::nullopt;
  if (!has_server(*file)) return std::nullopt;
  LivingServer server;
  const auto text = read_file(path, 4096);
  if (!text) return server;
  const std::vector<std::string> words = split(trim(*text), ' ');
  if (!words.empty()) server.pid = std::atoi(words[0].c_str());
  if (words.size() > 1) server.url = words[1];
  return server;
}

}  // namespace wave::store
