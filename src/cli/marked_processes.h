// Living processes that carry an agent's mark.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace wave::cli {

/// WAVE_AGENT's value -> pids, of all processes whose environment may be read. Without ourselves
/// and those above us: an agent may look at its own project.
std::map<std::string, std::vector<int>> marked_processes(const std::string& proc = "/proc");

}  // namespace wave::cli
