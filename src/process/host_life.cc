#include "process/host_life.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/id.h"
#include "process/attempt_files.h"
#include "process/proc.h"
#include "process/proc_view.h"

namespace wave::process {
namespace {

Error gone(const HostMeta& meta) {
  return {Code::kNotFound, fmt::format("the host of {} has ended", meta.agent_id)};
}

struct flock asked_range(off_t start, off_t length) {
  struct flock query{};
  query.l_type = F_WRLCK;
  query.l_whence = SEEK_SET;
  query.l_start = start;
  query.l_len = length;
  return query;
}

/// The kernel tells whether the lock is held, and by whom in our namespace.
Result<HostLife> life_by_lock(const HostMeta& meta, int file) {
  struct flock query = asked_range(0, 0);
  if (::fcntl(file, F_OFD_GETLK, &query) != 0) {
    return fail(errno_error(errno, "cannot ask for the lock of", (meta.dir / "meta").native()));
  }
  if (query.l_type == F_UNLCK) return HostLife{};
  return HostLife{.alive = true, .pid = std::max<int>(query.l_pid, 0)};
}

Result<HostLife> life_by_proc(const HostMeta& meta) {
  const std::string boot = boot_id();
  const bool other_boot = !boot.empty() && !meta.boot_id.empty() && boot != meta.boot_id;
  if (meta.host_pid <= 0 || other_boot) return HostLife{};
  if (ProcView::now().kind() == ProcView::Kind::kNone) {
    return fail(Code::kUnsupported,
                fmt::format("/proc does not show whether the host of {} lives", meta.agent_id),
                "mount /proc");
  }
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, meta.host_pid, 0)));
  if (!fd.valid() && errno == ESRCH) return HostLife{};
  if (!fd.valid()) return fail(errno_error(errno, "cannot look for the host of", meta.agent_id));
  // The descriptor now holds on to whoever has the pid; the start time says whether it is the one.
  const auto info = process_info(meta.host_pid);
  const bool is_it = info && info->is_alive() && info->start_time == meta.host_start_time;
  return HostLife{.alive = is_it, .pid = is_it ? meta.host_pid : 0};
}

bool locks_work(const fs::path& folder) {
  const fs::path probe = folder / fmt::format(".locks.{}", ::getpid());
  const auto file = open_file(probe, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file) return false;
  ::unlink(probe.c_str());
  struct flock lock = asked_range(0, 0);
  return ::fcntl(file->get(), F_SETLK, &lock) == 0;
}

}  // namespace

Result<HostLife> host_life(const HostMeta& meta) {
  if (!meta.locked || meta.dir.empty()) return life_by_proc(meta);
  const auto file = open_file(meta.dir / "meta", O_RDONLY | O_NOFOLLOW);
  if (file) return life_by_lock(meta, file->get());
  // Somebody removed the folder; the host may be about to notice.
  if (file.error().code == Code::kNotFound) return life_by_proc(meta);
  return fail(file.error());
}

Result<UniqueFd> open_host(const HostMeta& meta) {
  WAVE_TRY(const HostLife life, host_life(meta));
  if (!life.alive) return fail(gone(meta));
  if (life.pid == 0) {
    return fail(Code::kUnsupported,
                fmt::format("the host of {} is in another pid namespace", meta.agent_id));
  }
  UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, life.pid, 0)));
  if (!fd.valid() && errno == ESRCH) return fail(gone(meta));
  if (!fd.valid()) return fail(errno_error(errno, "cannot watch the host of", meta.agent_id));
  // Between the two the pid may have become somebody else's. If it still is the host's, so is the
  // descriptor.
  WAVE_TRY(const HostLife again, host_life(meta));
  if (!again.alive || again.pid != life.pid) return fail(gone(meta));
  return fd;
}

bool spools_are_held(const fs::path& dir) {
  for (const char* name : {"out", "err"}) {
    const auto file = open_file(dir / name, O_RDONLY | O_NOFOLLOW);
    if (!file) continue;
    struct flock query = asked_range(kSpoolLock, 1);
    if (::fcntl(file->get(), F_OFD_GETLK, &query) == 0 && query.l_type != F_UNLCK) return true;
  }
  return false;
}

Status check_supervision(const fs::path& folder) {
  if (ProcView::now().kind() != ProcView::Kind::kNone || locks_work(folder)) return {};
  return fail(
      Code::kUnsupported,
      fmt::format("wave cannot tell which agents run: /proc shows no processes, and files in "
                  "{} cannot be locked",
                  folder.native()),
      "mount /proc (mount -t proc proc /proc), or keep the project on a local disk");
}

}  // namespace wave::process
