// wave's folders in .git/info/exclude, so that neither people nor agents see or commit them.
#include <fcntl.h>
#include <sys/file.h>

#include <array>

#include "base/file.h"
#include "base/text.h"
#include "workspace/kinds.h"

namespace wave::workspace {
namespace {

constexpr uint64_t kMaxExclude = uint64_t{4} << 20;
constexpr std::string_view kComment = "# wave: its own folders, see docs/storage.md";
constexpr std::array<std::string_view, 7> kOwn{
    ".agents/state/", ".agents/workspaces/", ".agents/output/",      ".agents/artifacts/",
    ".agents/agent/", ".agents/tls/",        ".claude/wave-agent.md"};

// "\ " and so on: what means something in a pattern and stands in a folder's name.
std::string escaped(const std::string& path) {
  std::string text;
  for (const char c : path) {
    if (std::string_view("\\*?[ !#").contains(c)) text += '\\';
    text += c;
  }
  return text;
}

// The patterns that are to be there, from the top of the checkout.
std::vector<std::string> patterns(const fs::path& project, const fs::path& workspace_root,
                                  const fs::path& work_tree) {
  const fs::path inside = project.lexically_relative(work_tree);
  const std::string prefix = inside == "." ? "/" : "/" + escaped(inside.native()) + "/";
  std::vector<std::string> all;
  for (const std::string_view own : kOwn) all.push_back(prefix + std::string(own));
  const fs::path root = workspace_root.lexically_normal();
  if (root != fs::path(".agents/workspaces")) all.push_back(prefix + escaped(root.native()) + "/");
  return all;
}

std::string missing_patterns(const std::string& text, const std::vector<std::string>& wanted) {
  const std::vector<std::string> lines = split(text, '\n');
  std::string missing;
  for (const std::string& pattern : wanted) {
    if (std::ranges::find(lines, pattern) == lines.end()) missing += pattern + "\n";
  }
  return missing;
}

Status append_missing(const fs::path& file, const std::vector<std::string>& wanted) {
  WAVE_CHECK(make_directories(file.parent_path()));
  WAVE_TRY(const UniqueFd fd, open_file(file, O_WRONLY | O_CREAT | O_APPEND));
  // Held for a few microseconds, by wave only: two runs that start at once append once.
  if (::flock(fd.get(), LOCK_EX) != 0) {
    return fail(errno_error(errno, "cannot lock", file.native()));
  }
  WAVE_TRY(const std::string text, read_file(file, kMaxExclude));
  const std::string missing = missing_patterns(text, wanted);
  if (missing.empty()) return {};
  const std::string_view break_before = text.empty() || text.ends_with('\n') ? "" : "\n";
  return write_all(fd.get(), fmt::format("{}{}\n{}", break_before, kComment, missing));
}

}  // namespace

Status exclude_workspaces(const fs::path& project, const fs::path& workspace_root) {
  const auto repository = find_git_dir(project);
  if (!repository) return {};
  std::error_code error;
  const fs::path real_project = fs::canonical(project, error);
  if (error) return fail(errno_error(error.value(), "cannot resolve", project.native()));
  const auto wanted = patterns(real_project, workspace_root, repository->work_tree);
  const fs::path file = repository->common_dir / "info" / "exclude";
  const auto text = read_file(file, kMaxExclude);
  if (text && missing_patterns(*text, wanted).empty()) return {};
  if (!text && text.error().code != Code::kNotFound) return fail(text.error());
  return append_missing(file, wanted);
}

Status exclude_from_git(const fs::path& project) {
  return exclude_workspaces(project, ".agents/workspaces");
}

}  // namespace wave::workspace
