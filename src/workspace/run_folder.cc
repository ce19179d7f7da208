#include "workspace/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/file_lock.h"
#include "base/json.h"
#include "base/text.h"
#include "workspace/list_folder.h"

namespace wave::workspace {
namespace {

constexpr Millis kLockTimeout{120'000};
constexpr uint64_t kMaxReadyFile = 1 << 20;
constexpr std::string_view kSuffix = ".ready";

Ready ready_from(const json::object& object) {
  Ready ready;
  ready.cwd = get_string(object, "cwd");
  ready.branch = get_string(object, "branch");
  ready.base = get_string(object, "base");
  ready.created_branch = get_bool(object, "created_branch");
  ready.hidden = get_strings(object, "hidden");
  return ready;
}

std::optional<Ready> read_ready(const fs::path& file) {
  const auto text = read_file(file, kMaxReadyFile);
  if (!text) return std::nullopt;
  const auto value = parse_json(*text);
  if (!value || !value->is_object()) return std::nullopt;
  return ready_from(value->get_object());
}

}  // namespace

Result<RunFolder> RunFolder::locate(const fs::path& project, const fs::path& workspace_root,
                                    const std::string& run_id) {
  if (!project.is_absolute()) {
    return fail(Code::kUsage, fmt::format("the project's folder \"{}\" is not an absolute path",
                                          project.native()));
  }
  if (!is_safe_name(run_id)) {
    return fail(Code::kUsage, fmt::format("\"{}\" is not a run id", excerpt(run_id, 80)));
  }
  WAVE_TRY(const fs::path root, path_within(project, workspace_root.native()));
  return RunFolder(root / run_id);
}

RunFolder RunFolder::around(const fs::path& workspace) {
  return RunFolder(workspace.parent_path());
}

std::optional<Ready> RunFolder::ready(const std::string& name) const {
  return read_ready(own() / (name + std::string(kSuffix)));
}

std::vector<Ready> RunFolder::all_ready() const {
  std::vector<Ready> all;
  const auto entries = list_folder(own());
  if (!entries) return all;
  for (const fs::path& entry : *entries) {
    if (!entry.native().ends_with(kSuffix)) continue;
    if (auto ready = read_ready(entry)) all.push_back(std::move(*ready));
  }
  return all;
}

Status RunFolder::mark_ready(const std::string& name, const Ready& ready) const {
  json::object object{{"cwd", ready.cwd},
                      {"branch", ready.branch},
                      {"base", ready.base},
                      {"created_branch", ready.created_branch},
                      {"hidden", to_array(ready.hidden)}};
  WAVE_CHECK(make_directories(own()));
  return write_file_durable(own() / (name + std::string(kSuffix)), dump_json(object));
}

Status RunFolder::clear_ready(const std::string& name) const {
  const fs::path file = own() / (name + std::string(kSuffix));
  if (::unlink(file.c_str()) == 0) return sync_path(own());
  if (errno == ENOENT) return {};
  return fail(errno_error(errno, "cannot remove", file.native()));
}

Result<UniqueFd> RunFolder::lock(const std::string& name, const std::stop_token& stop) const {
  WAVE_CHECK(make_directories(own()));
  WAVE_TRY(UniqueFd fd, open_file(own() / (name + ".lock"), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (auto locked = lock_exclusively(fd, kLockTimeout, own(), stop); !locked) {
    if (locked.error().code != Code::kTimeout) return fail(locked.error());
    return fail(Code::kTimeout,
                fmt::format("another step is still making a workspace in {}", path_.native()),
                "look for a git that hangs, then try again");
  }
  return fd;
}

}  // namespace wave::workspace
