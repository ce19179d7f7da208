// A step's outputs: found, checked, archived; and cleared before the step starts.
#include <fcntl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "workspace/beneath.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/names.h"

namespace wave::workspace {
namespace {

constexpr off_t kMaxArtifact = off_t{256} << 20;

// The places an output may be at, relative to the workspace, best first. cwd lies within the root.
std::vector<std::string> places(const Prepared& workspace, const std::string& path) {
  const fs::path cwd = workspace.cwd.lexically_relative(workspace.root);
  std::vector<std::string> candidates;
  const bool inside = !cwd.empty() && cwd != "." && *cwd.begin() != "..";
  if (inside) candidates.push_back(cwd / path);
  candidates.push_back(path);
  return candidates;
}

Status check_path(const std::string& path) {
  const fs::path wanted(path);
  const bool climbs =
      std::ranges::any_of(wanted, [](const fs::path& part) { return part == ".."; });
  if (!wanted.is_absolute() && !climbs && !path.contains('\0')) return {};
  return fail(Code::kPathEscape,
              fmt::format("the output path \"{}\" leads out of the workspace", path),
              "use a path relative to the workspace without \"..\"");
}

struct Found {
  std::string path;  // relative to the workspace
  UniqueFd file;
};

// Nothing when no place has it. A folder, socket or device in its place is an error: a contract
// would otherwise call it "missing".
Result<std::optional<Found>> look_for(const Prepared& workspace, const Beneath& folder,
                                      const Output& output) {
  for (const std::string& path : places(workspace, output.path)) {
    auto file = folder.open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file && file.error().code == Code::kNotFound) continue;
    if (!file) return fail(std::move(file).error());
    struct stat info{};
    if (::fstat(file->get(), &info) != 0) return fail(errno_error(errno, "cannot read", path));
    if (!S_ISREG(info.st_mode)) {
      return fail(Code::kConflict,
                  fmt::format("the output {} at {} is not a regular file", output.name, path));
    }
    if (info.st_size > kMaxArtifact) {
      return fail(Code::kLimit,
                  fmt::format("the output {} at {} has {} bytes, more than {} MiB", output.name,
                              path, info.st_size, kMaxArtifact >> 20),
                  "write less, or keep large files in the worktree");
    }
    return Found{path, std::move(*file)};
  }
  return std::nullopt;
}

Result<std::optional<Found>> write_fallback(const Prepared& workspace, const Beneath& folder,
                                            const Output& output) {
  if (output.fallback_text.empty()) return std::nullopt;
  Status written;
  // cwd may be a read-only mount; the workspace itself never is.
  for (const std::string& path : places(workspace, output.path)) {
    written = folder.place_text(path, output.fallback_text);
    if (written || written.error().code != Code::kPermissionDenied) break;
  }
  WAVE_CHECK(written);
  return look_for(workspace, folder, output);
}

std::string archive_path(const std::string& step, const Output& output) {
  return fmt::format(".agents/artifacts/{}/{}", safe_component(step),
                     archive_name(output.name, output.type));
}

// An output without a path is the step's text itself; the archive is its only place.
Result<CollectedFile> collect_text(const Prepared& workspace, const Beneath& folder,
                                   const std::string& step, const Output& output) {
  CollectedFile file{output.name, workspace.root / archive_path(step, output), false};
  file.missing = output.fallback_text.empty();
  if (!file.missing) {
    WAVE_CHECK(folder.place_text(archive_path(step, output), output.fallback_text));
  }
  return file;
}

Result<CollectedFile> collect_one(const Prepared& workspace, const Beneath& folder,
                                  const std::string& step, const Output& output) {
  if (output.path.empty()) return collect_text(workspace, folder, step, output);
  WAVE_CHECK(check_path(output.path));
  WAVE_TRY(std::optional<Found> found, look_for(workspace, folder, output));
  if (!found) {
    WAVE_TRY(found, write_fallback(workspace, folder, output));
  }
  if (!found) return CollectedFile{output.name, workspace.root / output.path, true};
  const std::string archive = archive_path(step, output);
  if (fs::path(found->path).lexically_normal() != archive) {
    WAVE_CHECK(folder.place(archive, found->file.get()));
  }
  return CollectedFile{output.name, (workspace.root / found->path).lexically_normal(), false};
}

// Which of these paths git tracks in a worktree: they are the project's own files.
Result<std::set<std::string>> tracked_among(const Prepared& workspace,
                                            const std::vector<std::string>& paths) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository || paths.empty()) return std::set<std::string>{};
  GitCall call = call_in(*repository, {"--literal-pathspecs", "ls-files", "-z", "--cached", "--"});
  const fs::path prefix = workspace.root.lexically_relative(repository->work_tree);
  std::set<std::string> tracked;
  for (const std::string& path : paths) {
    call.arguments.push_back((prefix / path).lexically_normal());
  }
  WAVE_TRY(const std::string output, git_output(call));
  for (const std::string& path : split(output, '\0')) {
    if (!path.empty()) tracked.insert(fs::path(path).lexically_relative(prefix.lexically_normal()));
  }
  return tracked;
}

}  // namespace

Result<std::vector<CollectedFile>> collect(const Prepared& workspace, const std::string& step,
                                           const std::vector<Output>& outputs) {
  std::vector<CollectedFile> files;
  if (outputs.empty()) return files;
  WAVE_TRY(const Beneath folder, Beneath::open(workspace.root));
  for (const Output& output : outputs) {
    auto file = collect_one(workspace, folder, step, output);
    if (!file) {
      return fail(file.error().wrapped(
          fmt::format("cannot collect the output {} of step {}", output.name, step)));
    }
    files.push_back(std::move(*file));
  }
  return files;
}

Status clear_outputs(const Prepared& workspace, const std::vector<Output>& outputs) {
  if (outputs.empty()) return {};
  WAVE_TRY(const Beneath folder, Beneath::open(workspace.root));
  std::vector<std::string> stale;
  for (const Output& output : outputs) {
    if (output.path.empty()) continue;
    WAVE_CHECK(check_path(output.path));
    for (const std::string& path : places(workspace, output.path)) {
      WAVE_TRY(const auto info, folder.stat(path));
      if (info && !S_ISDIR(info->st_mode)) stale.push_back(fs::path(path).lexically_normal());
    }
  }
  WAVE_TRY(const std::set<std::string> tracked, tracked_among(workspace, stale));
  for (const std::string& path : stale) {
    if (tracked.contains(path)) continue;
    WAVE_TRY(const bool removed, folder.remove(path));
    (void)removed;
  }
  return {};
}

}  // namespace wave::workspace
