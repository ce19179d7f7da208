// What /proc tells about processes: who they are, who descends from whom, who carries an agent's
// marker. A process is named by pid and start time, because pids are reused.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"

namespace wave::process {

/// The environment variable by which an agent's processes are found when their host is gone.
inline constexpr std::string_view kAgentMarker = "WAVE_AGENT";

/// One line of /proc/<pid>/stat (proc(5)).
struct ProcessInfo {
  int pid = 0;
  int parent = 0;
  int group = 0;
  char state = 0;           // 'Z' and 'X' are dead
  uint64_t start_time = 0;  // clock ticks since boot

  [[nodiscard]] bool is_alive() const { return state != 'Z' && state != 'X'; }
};

std::optional<ProcessInfo> process_info(int pid);
/// Whether somebody has stopped it, by a signal or as a debugger.
bool is_stopped(int pid);
struct ProcessList {
  std::vector<ProcessInfo> processes;
  /// False when some could not be looked at for want of descriptors or memory: then nothing follows
  /// from what is missing.
  bool complete = true;
};

/// Every process of this pid namespace, in the order of their pids.
ProcessList all_processes();
/// Whether the environment that `pid` was started with has WAVE_AGENT=<agent_id>. False when it may
/// not be read.
bool has_marker(int pid, std::string_view agent_id);
/// The same for any variable, as "NAME=value".
bool has_variable(int pid, std::string_view assignment);
/// Sends a signal to every living process whose environment was started with the variable.
void signal_all_with(std::string_view assignment, int signal);
/// Those of `all` that match `is_seed`, and everything that descends from them.
std::vector<ProcessInfo> with_descendants(const std::vector<ProcessInfo>& all,
                                          const std::function<bool(const ProcessInfo&)>& is_seed);
/// A pidfd of exactly this process; nothing when it has ended, or is a zombie.
UniqueFd open_process(int pid, uint64_t start_time);
/// Sends a signal to exactly this process. False when it was not delivered (gone, not permitted).
bool send_signal(int pid, uint64_t start_time, int signal);
/// Lets a process go on that was stopped, or whose cgroup is frozen. A debugger can still hold it.
void wake(const ProcessInfo& process);

}  // namespace wave::process
