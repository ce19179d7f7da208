#include "process/cgroup.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <sstream>

#include "base/text.h"
#include "process/proc_view.h"

namespace wave::process {
namespace {

constexpr uint64_t kMaxFile = 1 << 22;
constexpr int kMaxDepth = 16;  // of cgroups that an agent makes below its own

/// Of cgroups there are two hierarchies that matter here.
enum class Hierarchy { kV2, kFreezerV1 };

/// Where a hierarchy is mounted, and the path within it that is mounted there.
struct CgroupMount {
  std::string folder, root;
};

bool is_mount_of(std::string_view description, Hierarchy hierarchy) {
  if (hierarchy == Hierarchy::kV2) return description.starts_with("cgroup2 ");
  if (!description.starts_with("cgroup ")) return false;
  const std::vector<std::string> fields = split(std::string(description), ' ');
  return fields.size() >= 3 && ("," + fields[2] + ",").contains(",freezer,");
}

CgroupMount find_mount(Hierarchy hierarchy) {
  const auto mounts = read_file("/proc/self/mountinfo", kMaxFile);
  if (!mounts) return {};
  std::istringstream lines(*mounts);
  for (std::string line; std::getline(lines, line);) {
    // 36 35 98:0 <root> <mount point> <options> <optional fields> - <type> <source> <options>
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos || !is_mount_of(line.substr(dash + 3), hierarchy)) continue;
    const std::vector<std::string> fields = split(line, ' ');
    // Blanks in paths are written as octal escapes; such a mount is not worth the trouble.
    if (fields.size() < 5 || fields[4].contains('\\')) continue;
    return {fields[4], fields[3]};
  }
  return {};
}

/// The path after "<number>:<controllers>:", if the line is of this hierarchy.
std::optional<std::string> path_in(const std::string& line, Hierarchy hierarchy) {
  if (hierarchy == Hierarchy::kV2) {
    return line.starts_with("0::/") ? std::optional(line.substr(3)) : std::nullopt;
  }
  const size_t first = line.find(':');
  const size_t second = line.find(':', first + 1);
  if (first == std::string::npos || second == std::string::npos) return std::nullopt;
  const std::string controllers = line.substr(first + 1, second - first - 1);
  if (!("," + controllers + ",").contains(",freezer,")) return std::nullopt;
  return line.substr(second + 1);
}

/// The folder of the cgroup that a process's file in /proc tells; empty when there is none.
std::string cgroup_in(const std::string& file, Hierarchy hierarchy) {
  const auto membership = read_file(file, kMaxFile);
  if (!membership) return {};
  std::istringstream lines(*membership);
  for (std::string line; std::getline(lines, line);) {
    std::optional<std::string> path = path_in(line, hierarchy);
    if (!path) continue;
    const auto [folder, root] = find_mount(hierarchy);
    if (folder.empty()) return {};
    if (root != "/") {  // a container sees only a part of the hierarchy
      if (!path->starts_with(root)) return {};
      path->erase(0, root.size());
    }
    return *path == "/" ? folder : folder + *path;
  }
  return {};
}

/// Thaws a cgroup and all those above it, as far as we may.
void thaw_upwards(fs::path cgroup, const char* is_frozen, const char* file, const char* value) {
  for (int depth = 0; depth < kMaxDepth && fs::exists(cgroup / is_frozen); ++depth) {
    const auto frozen = read_file(cgroup / is_frozen, 16);
    if (frozen && frozen->starts_with('1')) (void)write_file(cgroup / file, value);
    cgroup = cgroup.parent_path();
  }
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
  return cgroup_in("/proc/self/cgroup", Hierarchy::kV2);
}

void thaw(int pid) {
  const std::string file = ProcView::now().path(pid, "cgroup");
  if (const std::string cgroup = cgroup_in(file, Hierarchy::kV2); !cgroup.empty()) {
    thaw_upwards(cgroup, "cgroup.freeze", "cgroup.freeze", "0");
  }
  if (const std::string cgroup = cgroup_in(file, Hierarchy::kFreezerV1); !cgroup.empty()) {
    thaw_upwards(cgroup, "freezer.self_freezing", "freezer.state", "THAWED");
  }
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
