// Whether the caller is an agent of a run: an agent does not approve its own work (promise G10).
#pragma once

#include <map>
#include <optional>
#include <string>

namespace wave::process {

/// The agent we are called from: WAVE_AGENT in our own environment, or in that of a process above
/// us as far as /proc shows it. An agent that clears its environment and leaves its process tree (a
/// daemon, a container) is not recognised; docs/security.md and `wave doctor` say so.
std::optional<std::string> calling_agent(const std::map<std::string, std::string>& environment);

/// The mark of one process, if its environment has one and may be read.
std::optional<std::string> agent_mark(int pid, const std::string& proc = "/proc");

/// The same for an explicit chain: looks at `pid` and its ancestors below `proc`. For tests.
std::optional<std::string> agent_above(int pid, const std::string& proc = "/proc");

}  // namespace wave::process
