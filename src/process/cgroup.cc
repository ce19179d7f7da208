#include "process/cgroup.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/text.h"

namespace wave::process {
namespace {

constexpr uint64_t kMaxFile = 1 << 22;
constexpr int kMaxDepth = 16;  // of cgroups that an agent makes below its own

/// The mount point of cgroup v2 and the path within the hierarchy that is mounted there.
struct Cgroup2Mount {
  std::string folder, root;
};

Cgroup2Mount find_mount() {
  const auto mounts = read_file("/proc/self/mountinfo", kMaxFile);
  if (!mounts) return {};
  std::istringstream lines(*mounts);
  for (std::string line; std::getline(lines, line);) {
    // 36 35 98:0 <root> <mount point> <options> <optional fields> - <type> <source> <options>
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos || !line.substr(dash + 3).starts_with("cgroup2 ")) continue;
    const std::vector<std::string> fields = split(line, ' ');
    // Blanks in paths are written as octal escapes; such a mount is not worth the trouble.
    if (fields.size() < 5 || fields[4].contains('\\')) continue;
    return {fields[4], fields[3]};
  }
  return {};
}

template <typename Visit>
void for_each_below(const fs::path& cgroup, int depth, const Visit& visit) {
  std::error_code error;
  fs::directory_iterator entries(cgroup, error);
  for (; depth > 0 && !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (entries->is_directory(error)) for_each_below(entries->path(), depth - 1, visit);
  }
  visit(cgroup);  // children first, so that they can be removed on the way
}

}  // namespace

std::string own_cgroup() {
  const auto membership = read_file("/proc/self/cgroup", kMaxFile);
  if (!membership) return {};
  std::istringstream lines(*membership);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("0::/")) continue;
    const auto [folder, root] = find_mount();
    std::string path = line.substr(3);
    if (folder.empty()) return {};
    if (root != "/") {  // a container sees only a part of the hierarchy
      if (!path.starts_with(root)) return {};
      path.erase(0, root.size());
    }
    return path == "/" ? folder : folder + path;
  }
  return {};
}

std::string make_agent_cgroup(const std::string& parent, const std::string& agent_id) {
  if (parent.empty()) return {};
  std::string name(utf8_prefix(agent_id, 128));
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
  }
  std::string cgroup = fmt::format("{}/wave-{}.{}", parent, name, ::getpid());
  ::rmdir(cgroup.c_str());  // an empty one that an earlier process with our pid left
  if (::mkdir(cgroup.c_str(), 0755) != 0) return {};
  if (::access((cgroup + "/cgroup.kill").c_str(), W_OK) == 0) return cgroup;
  ::rmdir(cgroup.c_str());
  return {};
}

bool kill_cgroup(const std::string& cgroup) {
  if (cgroup.empty()) return false;
  const UniqueFd fd(::open((cgroup + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  return fd.valid() && ::write(fd.get(), "1", 1) == 1;
}

std::vector<int> cgroup_processes(const std::string& cgroup) {
  std::vector<int> pids;
  if (cgroup.empty()) return pids;
  for_each_below(cgroup, kMaxDepth, [&](const fs::path& folder) {
    const auto text = read_file(folder / "cgroup.procs", kMaxFile);
    if (!text) return;
    std::istringstream numbers(*text);
    for (int pid = 0; numbers >> pid;) {
      if (pid > 0) pids.push_back(pid);  // 0: a process outside of our pid namespace
    }
  });
  return pids;
}

void remove_cgroup(const std::string& cgroup) {
  if (cgroup.empty() || ::rmdir(cgroup.c_str()) == 0 || errno == ENOENT) return;
  for_each_below(cgroup, kMaxDepth, [](const fs::path& folder) { ::rmdir(folder.c_str()); });
}

}  // namespace wave::process
