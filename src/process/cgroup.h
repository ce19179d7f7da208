// A cgroup v2 of its own for an agent, where the one we live in lets us make children: the kernel
// then knows every process of the agent, however it was forked, and ends them all at once
// (cgroups(7)).
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"

namespace wave::process {

/// The folder of the cgroup v2 that this process is in; empty when there is no cgroup v2.
std::string own_cgroup();
/// Lets a process go on whose cgroup is frozen (v2, or the freezer of v1), as far as we may: in v1
/// not even SIGKILL ends it before.
void thaw(int pid);
/// Makes a child of `parent` for an agent and returns its folder; empty when that is not possible
/// (no cgroup v2, not delegated to us, no cgroup.kill).
std::string make_agent_cgroup(const std::string& parent, const std::string& agent_id);
/// Sends SIGKILL to everything in it and below it. False when there is no such cgroup.
bool kill_cgroup(const std::string& cgroup);
/// Pids in the cgroup itself and in those that its processes made below it.
std::vector<int> cgroup_processes(const std::string& cgroup);
/// Removes it and what was made below it, if nothing is in there any more.
void remove_cgroup(const std::string& cgroup);

}  // namespace wave::process
