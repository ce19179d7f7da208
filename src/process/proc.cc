#include "process/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>
#include <unordered_set>

#include "base/system_fault.h"
#include "process/cgroup.h"
#include "process/proc_view.h"

namespace wave::process {
namespace {

int pidfd_open(int pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

/// Reads into `buffer` until it is full or the file ends; the number of bytes, -1 on failure.
ssize_t read_full(int fd, char* buffer, size_t size) {
  size_t used = 0;
  while (used < size) {
    const ssize_t got = ::read(fd, buffer + used, size - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(used);
}

/// Parent and group are told in the numbers of /proc.
std::optional<ProcessInfo> read_stat(const std::string& path, int pid) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  char text[1024];
  const ssize_t length = read_full(fd.get(), text, sizeof text - 1);
  if (length <= 0) return std::nullopt;
  text[length] = '\0';
  // The second field is the program's name in parentheses and may hold anything, also parentheses.
  const std::string_view line(text, static_cast<size_t>(length));
  const size_t name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  unsigned long long start = 0;
  // state ppid pgrp session tty tpgid flags minflt cminflt majflt cmajflt utime stime cutime cstime
  // priority nice threads itrealvalue starttime
  const int fields = std::sscanf(text + name_end + 1,
                                 " %c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d "
                                 "%*d %*d %*d %llu",
                                 &info.state, &info.parent, &info.group, &start);
  if (fields != 4) return std::nullopt;
  info.start_time = start;
  return info;
}

}  // namespace

std::optional<ProcessInfo> process_info(int pid) {
  return read_stat(ProcView::now().path(pid, "stat"), pid);
}

bool is_stopped(int pid) {
  const auto info = process_info(pid);
  return info && (info->state == 'T' || info->state == 't');
}

ProcessList all_processes() {
  ProcessList found;
  const ProcView view = ProcView::now();
  if (view.kind() == ProcView::Kind::kNone) return found;
  DIR* folder = ::opendir("/proc");
  if (folder == nullptr) {
    found.complete = system_fault(errno) != SystemFault::kScarce;
    return found;
  }
  std::unordered_map<int, int> pids;  // by what /proc calls them
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name(entry->d_name);
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    const std::optional<int> pid = view.pid_of(number);
    if (!pid) continue;
    pids.emplace(number, *pid);
    errno = 0;
    if (auto info = read_stat(fmt::format("/proc/{}/stat", number), *pid)) {
      found.processes.push_back(*info);
    } else if (system_fault(errno) == SystemFault::kScarce) {
      found.complete = false;
    }
  }
  ::closedir(folder);
  if (view.kind() == ProcView::Kind::kOwn) return found;
  const auto ours = [&](int number) {
    const auto known = pids.find(number);
    return known == pids.end() ? 0 : known->second;
  };
  for (ProcessInfo& process : found.processes) {
    process.parent = ours(process.parent);
    process.group = ours(process.group);
  }
  return found;
}

bool has_marker(int pid, std::string_view agent_id) {
  return has_variable(pid, fmt::format("{}={}", kAgentMarker, agent_id));
}

bool has_variable(int pid, std::string_view assignment) {
  const UniqueFd fd(::open(ProcView::now().path(pid, "environ").c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return false;
  // Entries end with NUL. The NUL before the first one and behind the last make all of them alike,
  // and the tail carried over finds an entry that lies across two reads.
  std::string wanted(1, '\0');
  wanted.append(assignment).push_back('\0');
  std::string window(1, '\0');
  std::string chunk(65'536, '\0');
  while (true) {
    const ssize_t got = read_full(fd.get(), chunk.data(), chunk.size());
    if (got < 0) return false;
    window.append(chunk, 0, static_cast<size_t>(got));
    if (static_cast<size_t>(got) < chunk.size()) window.push_back('\0');
    if (window.contains(wanted)) return true;
    if (static_cast<size_t>(got) < chunk.size()) return false;
    if (window.size() > wanted.size()) window.erase(0, window.size() - wanted.size());
  }
}

std::vector<ProcessInfo> with_descendants(const std::vector<ProcessInfo>& all,
                                          const std::function<bool(const ProcessInfo&)>& is_seed) {
  std::unordered_set<int> taken;
  std::vector<ProcessInfo> found;
  for (const ProcessInfo& process : all) {
    if (is_seed(process) && taken.insert(process.pid).second) found.push_back(process);
  }
  // A child may have a smaller pid than its parent (pids wrap), so go round until nothing is new.
  for (size_t before = 0; before != found.size();) {
    before = found.size();
    for (const ProcessInfo& process : all) {
      if (!taken.contains(process.parent) || taken.contains(process.pid)) continue;
      taken.insert(process.pid);
      found.push_back(process);
    }
  }
  return found;
}

UniqueFd open_process(int pid, uint64_t start_time) {
  if (pid <= 0) return {};
  UniqueFd fd(pidfd_open(pid));
  if (!fd.valid()) return {};
  // The descriptor now holds on to whoever has the pid; the start time says whether it is the one.
  const auto info = process_info(pid);
  if (!info || !info->is_alive() || info->start_time != start_time) return {};
  return fd;
}

bool send_signal(int pid, uint64_t start_time, int signal) {
  const UniqueFd fd = open_process(pid, start_time);
  if (!fd.valid()) return false;
  return ::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0) == 0;
}

void signal_all_with(std::string_view assignment, int signal) {
  for (const ProcessInfo& process : all_processes().processes) {
    if (!process.is_alive() || process.pid == ::getpid()) continue;
    if (has_variable(process.pid, assignment)) send_signal(process.pid, process.start_time, signal);
  }
}

void wake(const ProcessInfo& process) {
  thaw(process.pid);
  send_signal(process.pid, process.start_time, SIGCONT);
}

}  // namespace wave::process
