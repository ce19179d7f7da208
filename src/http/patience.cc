#include "http/patience.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace wave::http {

using std::chrono::steady_clock;

Patience::Patience(Millis timeout, int cancel_fd)
    : deadline_(steady_clock::now() + timeout), cancel_fd_(cancel_fd) {}

Patience Patience::share(size_t tries) const {
  const auto left = std::chrono::duration_cast<Millis>(deadline_ - steady_clock::now());
  return {left / static_cast<int64_t>(std::max<size_t>(1, tries)), cancel_fd_};
}

Status Patience::wait(int fd, short events) const {
  while (true) {
    const auto left = std::chrono::ceil<Millis>(deadline_ - steady_clock::now()).count();
    if (left <= 0) return fail(Code::kTimeout, "the server did not answer in time");
    pollfd fds[] = {{.fd = fd, .events = events, .revents = 0},
                    {.fd = cancel_fd_, .events = POLLIN, .revents = 0}};
    const auto most = static_cast<int64_t>(std::numeric_limits<int>::max());
    const int ready = ::poll(fds, 2, static_cast<int>(std::min<int64_t>(left, most)));
    if (ready < 0 && errno != EINTR) return fail(errno_error(errno, "waiting for the server"));
    if (ready <= 0) continue;
    if (fds[1].revents != 0) return fail(Code::kCancelled, "the request was given up");
    return {};
  }
}

}  // namespace wave::http
