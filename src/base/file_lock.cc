#include "base/file_lock.h"

#include <fmt/core.h>
#include <sys/file.h>

#include <cerrno>
#include <thread>

namespace wave {
namespace {

// flock(2) has no timeout of its own. What is locked here is held for milliseconds.
constexpr Millis kPoll{3};

Status lock_within(const UniqueFd& file, int kind, Millis timeout, const fs::path& path,
                   const std::stop_token& stop) {
  const SystemClock clock;
  const MonoTime deadline = clock.mono() + timeout;
  while (::flock(file.get(), kind | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail(errno_error(errno, "cannot lock", path.native()));
    }
    if (clock.mono() >= deadline) {
      return fail(Code::kTimeout,
                  fmt::format("somebody has held the lock on {} for too long", path.native()));
    }
    if (stop.stop_requested()) {
      return fail(Code::kInterrupted,
                  fmt::format("interrupted while {} was locked", path.native()));
    }
    std::this_thread::sleep_for(kPoll);
  }
  return {};
}

}  // namespace

Status lock_exclusively(const UniqueFd& file, Millis timeout, const fs::path& path,
                        const std::stop_token& stop) {
  return lock_within(file, LOCK_EX, timeout, path, stop);
}

Status lock_shared(const UniqueFd& file, Millis timeout, const fs::path& path,
                   const std::stop_token& stop) {
  return lock_within(file, LOCK_SH, timeout, path, stop);
}

}  // namespace wave
