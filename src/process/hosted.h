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

/// Looks at an attempt's folder.
Result<HostedState> inspect(const std::filesystem::path& dir);
Result<HostMeta> read_meta(const std::filesystem::path& dir);
/// <dir>/exit, if it has been written.
Result<std::optional<HostExit>> read_exit(const std::filesystem::path& dir);
/// A descriptor that becomes readable when the host has ended (pidfd). kNotFound when it has.
Result<UniqueFd> watch_host(const HostMeta& meta);
/// Asks the host to end its program: SIGTERM, then SIGKILL after the grace period (at once with
/// `force`). Returns at once; the host's end is the answer.
Status request_stop(const HostMeta& meta, bool force);
/// Ends everything that carries WAVE_AGENT=<agent_id> in this boot, also what lost its host: cgroup
/// if there is one, else environment markers. Returns the pids that did not end within `patience`.
std::vector<int> kill_strays(const HostMeta& meta, Millis patience);
/// Pids of living processes that carry the marker.
std::vector<int> find_strays(const std::string& agent_id);

}  // namespace wave::process
