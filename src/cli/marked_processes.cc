#include "cli/marked_processes.h"

#include <unistd.h>

#include <charconv>

#include "base/file.h"
#include "process/agent_guard.h"

namespace wave::cli {

std::map<std::string, std::vector<int>> marked_processes(const std::string& proc) {
  std::map<std::string, std::vector<int>> found;
  const auto own = process::agent_above(::getpid());
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(proc, error)) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    const auto [end, parse_error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (parse_error != std::errc() || end != name.data() + name.size()) continue;
    const auto agent = process::agent_mark(pid, proc);
    if (agent && agent != own) found[*agent].push_back(pid);
  }
  return found;
}

}  // namespace wave::cli
