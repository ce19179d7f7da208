#include "store/server_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.h"

namespace wave::store {
namespace {

fs::path lock_path(const StatePaths& paths) {
  return paths.state() / "server.lock";
}

struct flock whole_file() {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Result<ServerLock> ServerLock::acquire(const StatePaths& paths) {
  WAVE_CHECK(make_directories(paths.state(), 0700));
  const fs::path path = lock_path(paths);
  WAVE_TRY(UniqueFd file, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0) {
    if (errno != EAGAIN && errno != EACCES) {
      return fail(errno_error(errno, "cannot lock", path.native()));
    }
    const auto other = living_server(paths);
    const std::string where = other && !other->url.empty()
                                  ? fmt::format(" at {} (process {})", other->url, other->pid)
                                  : std::string();
    return fail(Code::kConflict, "a server of this project runs already" + where,
                "use that one, or stop it first");
  }
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

std::optional<LivingServer> living_server(const StatePaths& paths) {
  const fs::path path = lock_path(paths);
  const auto file = open_file(path, O_RDWR | O_NOFOLLOW);
  if (!file && file.error().code == Code::kScarce) return LivingServer{};  // there may be one
  if (!file) return std::nullopt;
  struct flock lock = whole_file();
  if (::fcntl(file->get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return std::nullopt;
  LivingServer server;
  const auto text = read_file(path, 4096);
  if (!text) return server;
  const std::vector<std::string> words = split(trim(*text), ' ');
  if (!words.empty()) server.pid = std::atoi(words[0].c_str());
  if (words.size() > 1) server.url = words[1];
  return server;
}

}  // namespace wave::store
