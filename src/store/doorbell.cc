#include "store/doorbell.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace wave::store {
namespace {

constexpr int kPollMs = 2000;

}  // namespace

void Doorbell::ring() {
  if (!file_.valid()) {
    auto opened = open_file(path_, O_WRONLY | O_CREAT, 0600);
    if (!opened) return;  // the others' slow poll finds the commit
    file_ = std::move(*opened);
  }
  ::futimens(file_.get(), nullptr);
}

Result<std::unique_ptr<DoorbellWatch>> DoorbellWatch::start(const fs::path& path,
                                                            std::function<void()> rung) {
  UniqueFd inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop.valid()) return fail(errno_error(errno, "cannot create an eventfd"));
  // Without inotify (its instances are limited per user) the poll remains.
  return std::unique_ptr<DoorbellWatch>(
      new DoorbellWatch(path, std::move(inotify), std::move(stop), std::move(rung)));
}

DoorbellWatch::DoorbellWatch(fs::path path, UniqueFd inotify, UniqueFd stop,
                             std::function<void()> rung)
    : path_(std::move(path)),
      inotify_(std::move(inotify)),
      stop_(std::move(stop)),
      rung_(std::move(rung)) {
  watch();
  thread_ = std::thread([this] { run(); });
}

DoorbellWatch::~DoorbellWatch() {
  const uint64_t one = 1;
  (void)!::write(stop_.get(), &one, sizeof one);
  thread_.join();
}

/// Adding a watch that is there already changes nothing; a new file of that name needs a new one.
void DoorbellWatch::watch() {
  if (!inotify_.valid()) return;
  // The one who watches may be the first to come, and may not be allowed to write.
  (void)open_file(path_, O_WRONLY | O_CREAT, 0600);
  ::inotify_add_watch(inotify_.get(), path_.c_str(), IN_ATTRIB | IN_MODIFY);
}

void DoorbellWatch::run() {
  std::array<pollfd, 2> waits{pollfd{stop_.get(), POLLIN, 0}, pollfd{inotify_.get(), POLLIN, 0}};
  while (true) {
    const int ready = ::poll(waits.data(), waits.size(), kPollMs);
    if (ready < 0 && errno != EINTR) return;
    if ((waits[0].revents & POLLIN) != 0) return;
    std::array<char, 4096> ignored;  // what happened does not matter, only that it did
    while (inotify_.valid() && ::read(inotify_.get(), ignored.data(), ignored.size()) > 0) {
    }
    if (ready == 0) watch();
    rung_();
  }
}

}  // namespace wave::store
