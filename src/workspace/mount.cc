#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "workspace/copy_tree.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/remove_tree.h"

namespace wave::workspace {
namespace {

/// One mount with its paths resolved.
struct Mount {
  fs::path source;     // real path within the project
  std::string target;  // relative to the workspace, normal; "." is the workspace itself
  bool readonly = false;
};

Result<std::string> target_in_workspace(const std::string& target) {
  const fs::path relative = fs::path(target).relative_path().lexically_normal();
  const std::string text = relative.empty() ? "." : relative.native();
  const std::string trimmed = text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
  const fs::path first = *fs::path(trimmed).begin();
  if (first == ".." || target.contains('\0')) {
    return fail(Code::kPathEscape,
                fmt::format("the mount target \"{}\" leads out of the workspace", target),
                "name a folder inside the workspace, such as /project");
  }
  if (first == ".git" || first == ".agents") {
    return fail(Code::kUsage, fmt::format("the mount target \"{}\" is reserved", target),
                "choose another folder, such as /project");
  }
  return trimmed;
}

Result<fs::path> source_in_project(const fs::path& project, const std::string& source) {
  std::string relative = source;
  if (fs::path(source).is_absolute()) relative = fs::path(source).lexically_relative(project);
  WAVE_TRY(const fs::path real, path_within(project, relative.empty() ? source : relative));
  WAVE_TRY(const fs::file_type type, look_at(real));
  if (type == fs::file_type::not_found) {
    return fail(
        Code::kNotFound,
        fmt::format("the mount source \"{}\" does not exist in {}", source, project.native()),
        "correct workspace.mount.source; it is relative to the project's folder");
  }
  return real;
}

Result<std::vector<Mount>> resolve(const Request& request, const fs::path& project) {
  std::vector<Mount> mounts;
  for (const Request::MountSpec& spec : request.mounts) {
    Mount mount;
    WAVE_TRY(mount.source, source_in_project(project, spec.source));
    WAVE_TRY(mount.target, target_in_workspace(spec.target));
    mount.readonly = spec.readonly;
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

// Where the step starts: in the copy of the whole project, else in the first copy.
std::string cwd_of(const std::vector<Mount>& mounts, const fs::path& project) {
  const Mount* chosen = nullptr;
  for (const Mount& mount : mounts) {
    if (!is_folder(mount.source)) continue;
    if (mount.source == project) return mount.target;
    if (chosen == nullptr) chosen = &mount;
  }
  return chosen == nullptr ? "." : chosen->target;
}

/// The folders of the project that have tracked files and are called build, dist, vendor ...: asked
/// once, when the first is met. Without git nobody can tell, and all of them count as sources.
class SourceFolders {
 public:
  explicit SourceFolders(fs::path source) : source_(std::move(source)) {}

  bool contains(const std::string& path) {
    if (!asked_) ask();
    return everything_ || tracked_.contains(path);
  }

 private:
  void ask() {
    asked_ = true;
    const auto repository = find_git_dir(source_);
    everything_ = !repository;
    if (!repository) return;
    GitCall call;
    call.work_tree = source_;
    call.arguments = {"ls-files", "-z", "--cached", "--"};
    for (const char* name : {"build", "dist", "vendor", "coverage", "target"}) {
      call.arguments.push_back(fmt::format(":(glob)**/{}/**", name));
    }
    const auto output = git_output(call);
    everything_ = !output;
    if (!output) return;
    for (const std::string& file : split(*output, '\0')) {
      for (fs::path at = fs::path(file).parent_path(); !at.empty(); at = at.parent_path()) {
        if (!tracked_.insert(at.native()).second) break;
      }
    }
  }

  fs::path source_;
  bool asked_ = false, everything_ = false;
  std::set<std::string> tracked_;
};

Status copy_one(const Mount& mount, const fs::path& to, const fs::path& workspaces,
                const std::stop_token& stop) {
  WAVE_TRY(const fs::file_type type, look_at(mount.source));
  if (type != fs::file_type::directory) {
    std::error_code error;
    WAVE_CHECK(make_directories(to.parent_path()));
    fs::copy_file(mount.source, to, fs::copy_options::overwrite_existing, error);
    if (error) return fail(errno_error(error.value(), "cannot copy", mount.source.native()));
    return {};
  }
  WAVE_CHECK(make_directories(to));
  SourceFolders sources(mount.source);
  CopyRules rules{mount.source, workspaces,
                  [&](const std::string& path) { return sources.contains(path); }, stop};
  WAVE_TRY(const CopyCount count, copy_tree(rules, to));
  if (count.too_large > 0) {
    log::info("mount of {}: {} files over 10 MB were left out", mount.source.native(),
              count.too_large);
  }
  return {};
}

// A step that starts in a mount finds and leaves artifacts at `.agents/...` as everywhere, also
// where the mount itself is read-only.
Status link_agents(const fs::path& folder, const fs::path& workspace) {
  const fs::path link = folder / ".agents";
  if (folder == workspace || !is_folder(folder)) return {};
  const fs::path to = workspace.lexically_relative(folder) / ".agents";
  if (::symlink(to.c_str(), link.c_str()) == 0 || errno == EEXIST) return {};
  return fail(errno_error(errno, "cannot create", link.native()));
}

Status protect(const std::vector<Mount>& mounts, const fs::path& workspace) {
  std::set<fs::path> writable{workspace / ".agents", workspace / ".git"};
  for (const Mount& mount : mounts) {
    if (!mount.readonly) writable.insert((workspace / mount.target).lexically_normal());
  }
  for (const Mount& mount : mounts) {
    if (!mount.readonly) continue;
    const fs::path target = (workspace / mount.target).lexically_normal();
    struct stat info{};
    if (::lstat(target.c_str(), &info) != 0) {
      if (errno == ENOENT) continue;
      return fail(errno_error(errno, "cannot look at", target.native()));
    }
    if (S_ISDIR(info.st_mode)) {
      WAVE_CHECK(make_read_only(target, writable));
    } else {
      ::chmod(target.c_str(), info.st_mode & 0555);
    }
  }
  // The workspace itself is renamed next, and holds the folders of artifacts.
  ::chmod(workspace.c_str(), 0755);
  return {};
}

Status build(const Request& request, const std::vector<Mount>& mounts, const fs::path& project,
             const fs::path& workspace, const fs::path& workspaces) {
  WAVE_CHECK(remove_tree(workspace, request.stop));
  WAVE_CHECK(make_directories(workspace));
  WAVE_CHECK(furnish(workspace));
  for (const Mount& mount : mounts) {
    const fs::path to = (workspace / mount.target).lexically_normal();
    if (auto copied = copy_one(mount, to, workspaces, request.stop); !copied) {
      return fail(copied.error().wrapped(
          fmt::format("cannot mount {} for step {}", mount.source.native(), request.step)));
    }
  }
  const fs::path start = (workspace / cwd_of(mounts, project)).lexically_normal();
  WAVE_CHECK(link_agents(start.has_filename() ? start : start.parent_path(), workspace));
  return protect(mounts, workspace);
}

// After a power failure the rename must not outlive the files' content.
void sync_file_system(const fs::path& path) {
  if (const auto fd = open_file(path, O_RDONLY)) ::syncfs(fd->get());
}

}  // namespace

Result<Prepared> prepare_mount(const Request& request, const RunFolder& run) {
  std::error_code error;
  const fs::path project = fs::canonical(request.project, error);
  if (error) return fail(errno_error(error.value(), "cannot resolve", request.project.native()));
  WAVE_TRY(const std::vector<Mount> mounts, resolve(request, project));
  Prepared prepared;
  prepared.root = run.workspace(request.step);
  prepared.cwd = (prepared.root / cwd_of(mounts, project)).lexically_normal();
  if (!prepared.cwd.has_filename()) prepared.cwd = prepared.cwd.parent_path();
  WAVE_TRY(const UniqueFd lock, run.lock(request.step, request.stop));
  WAVE_TRY(const fs::file_type found, look_at_link(prepared.root));
  if (found == fs::file_type::directory) return prepared;

  const fs::path unfinished = run.own() / ("new-" + request.step);
  WAVE_CHECK(build(request, mounts, project, unfinished, run.path().parent_path()));
  Ready ready;
  ready.cwd = prepared.cwd.lexically_relative(prepared.root);
  WAVE_CHECK(run.mark_ready(request.step, ready));
  sync_file_system(unfinished);
  if (::rename(unfinished.c_str(), prepared.root.c_str()) != 0) {
    return fail(errno_error(errno, "cannot create", prepared.root.native()));
  }
  WAVE_CHECK(sync_path(run.path()));
  prepared.created = true;
  return prepared;
}

}  // namespace wave::workspace
