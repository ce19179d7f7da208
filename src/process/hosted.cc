#include "process/hosted.h"

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
#include "process/proc.h"

namespace wave::process {
namespace {

constexpr Millis kEndRound{10};

/// The host's pidfd; not valid when it has ended or belongs to another boot.
UniqueFd open_host(const HostMeta& meta) {
  if (meta.boot_id != boot_id()) return {};
  return open_process(meta.host_pid, meta.host_start_time);
}

/// What belongs to the agent and lives: by cgroup, by marker, the program itself, and all
/// descendants.
std::vector<ProcessInfo> strays_of(const HostMeta& meta) {
  const std::vector<int> in_cgroup = cgroup_processes(meta.cgroup);
  const int self = ::getpid();
  std::vector<ProcessInfo> strays =
      with_descendants(all_processes(), [&](const ProcessInfo& process) {
        if (process.pid == self || process.start_time < meta.host_start_time) return false;
        if (process.pid == meta.pid && process.start_time == meta.start_time) return true;
        return std::ranges::find(in_cgroup, process.pid) != in_cgroup.end() ||
               has_marker(process.pid, meta.agent_id);
      });
  std::erase_if(strays, [&](const ProcessInfo& process) {
    return process.pid == self || !process.is_alive();
  });
  return strays;
}

}  // namespace

Result<HostMeta> read_meta(const std::filesystem::path& dir) {
  WAVE_TRY(const std::string text, read_file(dir / "meta", kMaxAttemptFile));
  auto meta = decode_meta(text);
  if (!meta) return fail(meta.error().wrapped("cannot read " + (dir / "meta").native()));
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
  const bool alive = open_host(*meta).valid();
  WAVE_TRY(const std::optional<HostExit> exit, read_exit(dir));
  if (exit) return HostedState::kExited;
  return alive ? HostedState::kRunning : HostedState::kLost;
}

Result<UniqueFd> watch_host(const HostMeta& meta) {
  UniqueFd host = open_host(meta);
  if (host.valid()) return host;
  return fail(Code::kNotFound, fmt::format("the host of {} has ended", meta.agent_id));
}

Status request_stop(const HostMeta& meta, bool force) {
  WAVE_TRY(const UniqueFd host, watch_host(meta));
  const int signal = force ? SIGUSR1 : SIGTERM;
  if (::syscall(SYS_pidfd_send_signal, host.get(), signal, nullptr, 0) == 0) return {};
  if (errno == ESRCH)
    return fail(Code::kNotFound, fmt::format("the host of {} has ended", meta.agent_id));
  return fail(errno_error(errno, "cannot signal the host of", meta.agent_id));
}

std::vector<int> kill_strays(const HostMeta& meta, Millis patience) {
  if (meta.boot_id != boot_id()) return {};  // the boot ended them, and their pids are others' now
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<int> left;
  while (true) {
    kill_cgroup(meta.cgroup);
    left.clear();
    for (const ProcessInfo& stray : strays_of(meta)) {
      send_signal(stray.pid, stray.start_time, SIGKILL);
      left.push_back(stray.pid);
    }
    if (left.empty() || std::chrono::steady_clock::now() >= deadline) break;
    ::poll(nullptr, 0, static_cast<int>(kEndRound.count()));
  }
  remove_cgroup(meta.cgroup);
  return left;
}

std::vector<int> find_strays(const std::string& agent_id) {
  std::vector<int> found;
  for (const ProcessInfo& process : all_processes()) {
    if (!process.is_alive() || process.pid == ::getpid()) continue;
    if (has_marker(process.pid, agent_id)) found.push_back(process.pid);
  }
  return found;
}

}  // namespace wave::process
