#include "server/disk/disk_watch.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "server/services.h"

namespace wave::server::disk {
namespace {

constexpr Millis kLookEvery{1'000};
constexpr Millis kProbeEvery{5'000};
constexpr Millis kProbePatience{10'000};  // a write that takes longer is trouble
constexpr Millis kLastProbe{500};         // at the end, for a probe on its way
constexpr size_t kProbeBytes = 4096;

/// Creates, writes, syncs and removes a file: needs an inode, a block and a disk that takes them.
Status probe_write(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / fmt::format(".probe-{}", ::getpid());
  Status written = [&]() -> Status {
    WAVE_TRY(const UniqueFd fd, open_file(file, O_WRONLY | O_CREAT | O_TRUNC, 0600));
    WAVE_CHECK(write_all(fd.get(), std::string(kProbeBytes, 'w')));
    if (::fdatasync(fd.get()) == 0) return {};
    return fail(errno_error(errno, "cannot sync", file.native()));
  }();
  ::unlink(file.c_str());
  return written;
}

}  // namespace

struct DiskWatch::Shared {
  explicit Shared(const store::StatePaths& paths)
      : ground({paths.project / ".agents", paths.project, paths.state()}), state(paths.state()) {}

  void run();
  void look(bool with_probe);
  void publish(DiskHealth seen);

  const Ground ground;
  const std::filesystem::path state;

  std::mutex mutex;
  std::condition_variable changed;
  bool stopping = false;                // guarded by mutex, like all below
  bool ended = false;                   // the thread is
  DiskHealth health;                    // what was seen last
  std::optional<MonoTime> probe_began;  // while one is on its way
};

void DiskWatch::Shared::run() {
  MonoTime next_probe{};
  std::unique_lock lock(mutex);
  while (!stopping) {
    lock.unlock();
    const MonoTime now = SystemClock().mono();
    const bool with_probe = now >= next_probe;
    if (with_probe) next_probe = now + kProbeEvery;
    look(with_probe);
    lock.lock();
    changed.wait_for(lock, kLookEvery, [this] { return stopping; });
  }
  ended = true;
  changed.notify_all();
}

void DiskWatch::Shared::look(bool with_probe) {
  DiskHealth seen;
  {
    const std::scoped_lock lock(mutex);
    seen.probe_took = health.probe_took;
    // Only a probe that succeeds ends what a probe has found.
    if (health.trouble && health.trouble->reason == kFoundByProbe) seen.trouble = health.trouble;
    if (with_probe) probe_began = SystemClock().mono();
  }
  if (const auto room = ground.room()) seen.room = *room;
  const Status there = ground.check();
  if (with_probe && there) {
    const MonoTime began = SystemClock().mono();
    const Status written = probe_write(state);
    seen.probe_took = std::chrono::duration_cast<Millis>(SystemClock().mono() - began);
    seen.trouble.reset();
    if (!written) {
      seen.trouble = written.error().wrapped("the disk does not take a file");
      seen.trouble->message = full_message(*seen.trouble);
      seen.trouble->cause.reset();
      seen.trouble->reason = kFoundByProbe;
      if (!is_shortage(*seen.trouble)) seen.trouble->code = Code::kDiskError;
    }
  }
  if (!there) seen.trouble = there.error();
  publish(std::move(seen));
}

void DiskWatch::Shared::publish(DiskHealth seen) {
  bool told = false;
  std::optional<Error> trouble = seen.trouble;
  {
    const std::scoped_lock lock(mutex);
    told = health.trouble.has_value() == trouble.has_value();
    health = std::move(seen);
    probe_began.reset();
  }
  if (told) return;
  if (trouble) {
    log::warning("nothing new is started: {} ({})", trouble->message, trouble->hint);
  } else {
    log::info("the disk takes files again");
  }
}

DiskWatch::DiskWatch(const store::StatePaths& paths) : shared_(std::make_shared<Shared>(paths)) {
  shared_->look(/*with_probe=*/false);
  std::thread([shared = shared_] { shared->run(); }).detach();
}

DiskWatch::~DiskWatch() {
  std::unique_lock lock(shared_->mutex);
  shared_->stopping = true;
  shared_->changed.notify_all();
  shared_->changed.wait_for(lock, kLastProbe, [this] { return shared_->ended; });
}

DiskHealth DiskWatch::health() const {
  const std::scoped_lock lock(shared_->mutex);
  DiskHealth seen = shared_->health;
  if (!shared_->probe_began || seen.trouble) return seen;
  const Millis waiting =
      std::chrono::duration_cast<Millis>(SystemClock().mono() - *shared_->probe_began);
  if (waiting > kProbePatience) {
    seen.trouble = Error(Code::kDiskError,
                         fmt::format("the disk has not finished a write of {} bytes for {}",
                                     kProbeBytes, format_duration(waiting)),
                         "the system's log says what is wrong with it");
  }
  return seen;
}

Status DiskWatch::check() const {
  const DiskHealth seen = health();
  if (seen.trouble) return fail(*seen.trouble);
  return {};
}

Status DiskWatch::check_present() const {
  return shared_->ground.check_present();
}

}  // namespace wave::server::disk

namespace wave::server {

Status Services::takes_runs() const {
  const std::optional<Error> trouble = disk == nullptr ? std::nullopt : disk->health().trouble;
  // What a probe met a few seconds ago the submission meets itself, if it is still there.
  if (!trouble || trouble->reason == disk::kFoundByProbe) return {};
  return fail(*trouble);
}

}  // namespace wave::server
