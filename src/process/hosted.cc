#include "process/hosted.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

#include "base/id.h"
#include "process/attempt_files.h"
#include "process/cgroup.h"
#include "process/host_life.h"
#include "process/proc.h"
#include "process/proc_view.h"

namespace wave::process {
namespace {

constexpr Millis kEndRound{10};
constexpr Millis kHostEnd{1'000};  // how long the end of a killed host may take to show

/// What belongs to the agent and lives: by cgroup, by marker, the program itself, and all
/// descendants.
ProcessList strays_of(const HostMeta& meta) {
  const std::vector<int> in_cgroup = cgroup_processes(meta.cgroup);
  const int self = ::getpid();
  ProcessList all = all_processes();
  std::vector<ProcessInfo> strays =
      with_descendants(all.processes, [&](const ProcessInfo& process) {
        if (process.pid == self || process.start_time < meta.host_start_time) return false;
        if (process.pid == meta.pid && process.start_time == meta.start_time) return true;
        return std::ranges::find(in_cgroup, process.pid) != in_cgroup.end() ||
               has_marker(process.pid, meta.agent_id);
      });
  std::erase_if(strays, [&](const ProcessInfo& process) {
    return process.pid == self || !process.is_alive();
  });
  return {std::move(strays), all.complete};
}

/// All that lives and descends from a living host, or belongs to its agent; without the host.
ProcessList tree_of(const HostMeta& meta, int host) {
  const std::vector<int> in_cgroup = cgroup_processes(meta.cgroup);
  const int self = ::getpid();
  ProcessList all = all_processes();
  std::vector<ProcessInfo> tree = with_descendants(all.processes, [&](const ProcessInfo& process) {
    if (process.pid == host) return true;
    if (process.pid == self || process.start_time < meta.host_start_time) return false;
    return std::ranges::find(in_cgroup, process.pid) != in_cgroup.end() ||
           has_marker(process.pid, meta.agent_id);
  });
  std::erase_if(tree, [&](const ProcessInfo& process) {
    return process.pid == host || process.pid == self || !process.is_alive();
  });
  return {std::move(tree), all.complete};
}

/// The program's process group, where /proc shows no processes. Its session is the host's, which
/// tells it from whoever may have its pid by now.
void kill_group(const HostMeta& meta) {
  if (meta.pid <= 0 || ProcView::now().kind() != ProcView::Kind::kNone) return;
  const bool is_it = ::getsid(meta.pid) == meta.host_pid && ::getpgid(meta.pid) == meta.pid;
  if (is_it) ::kill(-meta.pid, SIGKILL);
}

}  // namespace

Result<HostMeta> read_meta(const std::filesystem::path& dir) {
  WAVE_TRY(const std::string text, read_file(dir / "meta", kMaxAttemptFile));
  auto meta = decode_meta(text);
  if (!meta) return fail(meta.error().wrapped("cannot read " + (dir / "meta").native()));
  meta->dir = dir;
  return meta;
}

Result<std::optional<HostExit>> read_exit(const std::filesystem::path& dir) {
  const auto text = read_file(dir / "exit", kMaxAttemptFile);
  if (!text && text.error().code == Code::kNotFound) return std::optional<HostExit>();
  if (!text) return fail(text.error());
  auto exit = decode_exit(*text);
  if (!exit) return fail(exit.error().wrapped("cannot read " + (dir / "exit").native()));
  return std::optional<HostExit>(std::move(*exit));
}

Result<HostedState> inspect(const std::filesystem::path& dir) {
  const auto meta = read_meta(dir);
  if (!meta && meta.error().code == Code::kNotFound) return HostedState::kNeverStarted;
  if (!meta) return fail(meta.error());
  // The host's life is looked at first: an exit written in between is seen by the second look.
  const Result<HostLife> life = host_life(*meta);
  WAVE_TRY(const std::optional<HostExit> exit, read_exit(dir));
  if (exit) return HostedState::kExited;
  if (!life) return fail(life.error());
  return life->alive ? HostedState::kRunning : HostedState::kLost;
}

Status forbid_start(const std::filesystem::path& dir, const std::string& agent_id) {
  WAVE_CHECK(make_directories(dir, 0700));
  for (const char* spool : {"out", "err"}) {
    WAVE_CHECK(open_file(dir / spool, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600));
  }
  HostMeta nobody;
  nobody.boot_id = boot_id();
  nobody.agent_id = agent_id;
  WAVE_CHECK(create_meta(dir, nobody));
  HostExit exit;
  exit.reason = "stopped";
  exit.message = "it was ended before it started";
  return write_exit(dir, exit);
}

Result<UniqueFd> watch_host(const HostMeta& meta) {
  return open_host(meta);
}

Status request_stop(const HostMeta& meta, bool force) {
  const auto host = open_host(meta);
  if (!host && host.error().code != Code::kUnsupported) return fail(host.error());
  // No signal reaches it: it looks for this file as often as at its spools.
  if (!host) return write_file(meta.dir / kStopFile, force ? "now" : "term", 0600);
  const int signal = force ? SIGUSR1 : SIGTERM;
  if (::syscall(SYS_pidfd_send_signal, host->get(), signal, nullptr, 0) == 0) {
    wake_host(meta);
    return {};
  }
  if (errno == ESRCH)
    return fail(Code::kNotFound, fmt::format("the host of {} has ended", meta.agent_id));
  return fail(errno_error(errno, "cannot signal the host of", meta.agent_id));
}

void wake_host(const HostMeta& meta) {
  const auto life = host_life(meta);
  const auto host = open_host(meta);
  if (!life || !host) return;
  thaw(life->pid);
  ::syscall(SYS_pidfd_send_signal, host->get(), SIGCONT, nullptr, 0);
}

bool host_is_stopped(const HostMeta& meta) {
  const auto life = host_life(meta);
  return life && life->alive && is_stopped(life->pid);
}

void terminate_tree(const HostMeta& meta) {
  const auto life = host_life(meta);
  if (!life || life->pid == 0) return;
  for (const ProcessInfo& process : tree_of(meta, life->pid).processes) {
    send_signal(process.pid, process.start_time, SIGTERM);
    wake(process);
  }
}

std::vector<int> end_tree(const HostMeta& meta, Millis patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  // The host goes last: as long as it is there, whoever loses his parent becomes its child, and is
  // found by that.
  const auto life = host_life(meta);
  const auto host = open_host(meta);
  while (host && life) {
    kill_cgroup(meta.cgroup);
    const ProcessList tree = tree_of(meta, life->pid);
    for (const ProcessInfo& process : tree.processes) {
      send_signal(process.pid, process.start_time, SIGKILL);
      thaw(process.pid);
    }
    const bool is_over = tree.processes.empty() && tree.complete;
    if (is_over || std::chrono::steady_clock::now() >= deadline) break;
    ::poll(nullptr, 0, static_cast<int>(kEndRound.count()));
  }
  kill_group(meta);
  if (host && life) {
    ::syscall(SYS_pidfd_send_signal, host->get(), SIGKILL, nullptr, 0);
    thaw(life->pid);
    pollfd ended{host->get(), POLLIN, 0};
    ::poll(&ended, 1, static_cast<int>(kHostEnd.count()));
  }
  std::vector<int> left = kill_strays(meta, patience);
  if (host && life && host_life(meta).value_or(HostLife{}).alive) left.push_back(life->pid);
  return left;
}

bool may_have_strays(const HostMeta& meta) {
  return ProcView::now().kind() == ProcView::Kind::kNone && spools_are_held(meta.dir);
}

std::vector<int> kill_strays(const HostMeta& meta, Millis patience) {
  // Another boot ended them, and their pids are others' now.
  const std::string boot = boot_id();
  if (!boot.empty() && !meta.boot_id.empty() && meta.boot_id != boot) return {};
  kill_group(meta);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<int> left;
  while (true) {
    kill_cgroup(meta.cgroup);
    left.clear();
    const ProcessList strays = strays_of(meta);
    for (const ProcessInfo& stray : strays.processes) {
      send_signal(stray.pid, stray.start_time, SIGKILL);
      left.push_back(stray.pid);
    }
    const bool is_over = left.empty() && strays.complete;
    if (is_over || std::chrono::steady_clock::now() >= deadline) break;
    ::poll(nullptr, 0, static_cast<int>(kEndRound.count()));
  }
  remove_cgroup(meta.cgroup);
  return left;
}

std::vector<int> find_strays(const std::string& agent_id) {
  std::vector<int> found;
  for (const ProcessInfo& process : all_processes().processes) {
    if (!process.is_alive() || process.pid == ::getpid()) continue;
    if (has_marker(process.pid, agent_id)) found.push_back(process.pid);
  }
  return found;
}

}  // namespace wave::process
