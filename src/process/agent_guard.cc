#include "process/agent_guard.h"

#include <unistd.h>

#include <charconv>
#include <string_view>

#include "base/file.h"
#include "process/proc_view.h"

namespace wave::process {
namespace {

constexpr std::string_view kMarker = "WAVE_AGENT=";
constexpr int kMostAncestors = 64;
constexpr uint64_t kMostEnvironment = 4 << 20;

/// The marker's value in a block of NUL-separated variables.
std::optional<std::string> marker_in(std::string_view block) {
  while (!block.empty()) {
    const size_t end = block.find('\0');
    const std::string_view variable = block.substr(0, end);
    if (variable.starts_with(kMarker)) return std::string(variable.substr(kMarker.size()));
    if (end == std::string_view::npos) break;
    block.remove_prefix(end + 1);
  }
  return std::nullopt;
}

/// The parent's pid from a stat line: "pid (name, which may hold anything) state ppid ...".
int parent_in(std::string_view stat) {
  const size_t name_end = stat.rfind(')');
  if (name_end == std::string_view::npos || name_end + 4 >= stat.size()) return 0;
  const std::string_view rest = stat.substr(name_end + 4);
  int parent = 0;
  std::from_chars(rest.data(), rest.data() + rest.size(), parent);
  return parent;
}

/// read_range, because files of /proc say that they are empty.
std::string proc_file(const std::string& proc, int pid, const char* name, uint64_t most) {
  const fs::path path = fs::path(proc) / std::to_string(pid) / name;
  return read_range(path, 0, most).value_or(std::string());
}

}  // namespace

std::optional<std::string> agent_mark(int pid, const std::string& proc) {
  return marker_in(proc_file(proc, pid, "environ", kMostEnvironment));
}

std::optional<std::string> agent_above(int pid, const std::string& proc) {
  for (int depth = 0; depth < kMostAncestors && pid > 1; ++depth) {
    if (auto agent = agent_mark(pid, proc)) return agent;
    pid = parent_in(proc_file(proc, pid, "stat", 4096));
  }
  return std::nullopt;
}

std::optional<std::string> calling_agent(const std::map<std::string, std::string>& environment) {
  if (const auto own = environment.find("WAVE_AGENT"); own != environment.end()) return own->second;
  const std::optional<int> parent = ProcView::now().number_of(::getppid());
  return parent ? agent_above(*parent) : std::nullopt;
}

}  // namespace wave::process
