// Finding, following and ending hosted processes, from this or an earlier life of the owner.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "process/launcher.h"

namespace wave::process {

enum class HostedState {
  kNeverStarted,  // no meta: nothing ever ran
  kRunning,       // the host lives
  kExited,        // <dir>/exit is there
  kLost,          // the host is gone without an exit; its program's processes may live
};

/// Looks at an attempt's folder. An error means that it is not known: never start anything then.
Result<HostedState> inspect(const std::filesystem::path& dir);
Result<HostMeta> read_meta(const std::filesystem::path& dir);
/// <dir>/exit, if it has been written.
Result<std::optional<HostExit>> read_exit(const std::filesystem::path& dir);
/// Takes possession of a folder in which nothing has started: nothing ever will, whatever host is
/// still on its way. kConflict when something has.
Status forbid_start(const std::filesystem::path& dir, const std::string& agent_id);
/// A descriptor that becomes readable when the host has ended (pidfd). kNotFound when it has; any
/// other error says nothing about that (kUnsupported: it lives in another pid namespace).
Result<UniqueFd> watch_host(const HostMeta& meta);
/// Asks the host to end its program: SIGTERM, then SIGKILL after the grace period (at once with
/// `force`). Wakes the host if somebody has stopped it or frozen its cgroup. Returns at once; the
/// host's end is the answer.
Status request_stop(const HostMeta& meta, bool force);
/// Lets a host go on that is stopped or frozen.
void wake_host(const HostMeta& meta);
/// Whether it is stopped, by a signal or as a debugger does it.
bool host_is_stopped(const HostMeta& meta);
/// For a host that does not answer: SIGTERM to its program and all that descends from it.
void terminate_tree(const HostMeta& meta);
/// For a host that does not answer: ends its program and all that descends from it, then the host.
/// Blocks for at most `patience`, a little longer if forks go on. Returns the pids that did not
/// end.
std::vector<int> end_tree(const HostMeta& meta, Millis patience);
/// Ends everything that carries WAVE_AGENT=<agent_id> in this boot, also what lost its host: cgroup
/// if there is one, else environment markers. Returns the pids that did not end within `patience`.
std::vector<int> kill_strays(const HostMeta& meta, Millis patience);
/// Whether something of a program whose host is gone lives and cannot be found: /proc shows no
/// processes, and somebody holds the spools.
bool may_have_strays(const HostMeta& meta);
/// Pids of living processes that carry the marker.
std::vector<int> find_strays(const std::string& agent_id);

}  // namespace wave::process
