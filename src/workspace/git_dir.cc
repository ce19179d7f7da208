#include "workspace/git_dir.h"

#include "base/file.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "workspace/list_folder.h"

namespace wave::workspace {
namespace {

constexpr uint64_t kSmallFile = 64 * 1024;            // HEAD, a ref, a .git file
constexpr uint64_t kPackedRefs = uint64_t{64} << 20;  // a repository with half a million refs
constexpr int kMaxSymbolicRefs = 5;                   // git's own limit

std::optional<std::string> line_of(const fs::path& file) {
  auto text = read_file(file, kSmallFile);
  if (!text) return std::nullopt;
  return std::string(trim(*text));
}

bool is_git_dir(const fs::path& folder) {
  return path_exists(folder / "HEAD");
}

fs::path real(const fs::path& path) {
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(path, error);
  if (error) note_shortage(errno_error(error.value(), "cannot resolve", path.native()));
  return resolved.empty() ? path : resolved;
}

fs::path common_dir_of(const fs::path& git_dir) {
  const auto line = line_of(git_dir / "commondir");
  return line ? real(git_dir / *line) : git_dir;
}

// A line of packed-refs is "<id> <name>"; "^<id>" lines give what a tag points to.
std::string packed_ref(const fs::path& common, const std::string& ref) {
  const auto text = read_file(common / "packed-refs", kPackedRefs);
  if (!text) return {};
  const std::string wanted = " " + ref + "\n";
  const size_t at = text->find(wanted);
  if (at == std::string::npos) return {};
  const size_t start = text->rfind('\n', at);
  return text->substr(start == std::string::npos ? 0 : start + 1, at - (start + 1));
}

bool has_reftable(const GitDir& repository) {
  return path_exists(repository.common_dir / "reftable");
}

}  // namespace

bool is_object_id(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::optional<GitDir> git_dir_at(const fs::path& folder) {
  const fs::path entry = folder / ".git";
  const fs::file_type type = look_at(entry).value_or(fs::file_type::not_found);
  fs::path git_dir;
  if (type == fs::file_type::directory) {
    git_dir = real(entry);
  } else if (type == fs::file_type::regular) {
    const auto line = line_of(entry);
    constexpr std::string_view kPrefix = "gitdir: ";
    if (!line || !line->starts_with(kPrefix)) return std::nullopt;
    git_dir = real(folder / line->substr(kPrefix.size()));
  }
  if (git_dir.empty() || !is_git_dir(git_dir)) return std::nullopt;
  return GitDir{real(folder), git_dir, common_dir_of(git_dir)};
}

fs::path find_bare_repository(const fs::path& folder) {
  for (fs::path at = real(folder);; at = at.parent_path()) {
    if (git_dir_at(at)) return {};
    const bool bare = is_git_dir(at) && at.filename() != ".git" && is_folder(at / "objects") &&
                      is_folder(at / "refs");
    if (bare) return at;
    if (at == at.parent_path()) return {};
  }
}

std::optional<GitDir> find_git_dir(const fs::path& folder) {
  for (fs::path at = real(folder);; at = at.parent_path()) {
    if (auto found = git_dir_at(at)) return found;
    if (at == at.parent_path()) return std::nullopt;
  }
}

std::optional<std::string> read_ref(const GitDir& repository, const std::string& ref) {
  if (has_reftable(repository)) return std::nullopt;
  std::string name = ref;
  for (int i = 0; i < kMaxSymbolicRefs; ++i) {
    const auto line = line_of(repository.common_dir / name);
    if (!line) return packed_ref(repository.common_dir, name);
    if (!line->starts_with("ref: ")) return is_object_id(*line) ? line : std::nullopt;
    name = line->substr(5);
  }
  return std::nullopt;
}

std::optional<Head> read_head(const GitDir& repository) {
  if (has_reftable(repository)) return std::nullopt;
  const auto line = line_of(repository.git_dir / "HEAD");
  if (!line) return std::nullopt;
  if (is_object_id(*line)) return Head{"", *line};
  constexpr std::string_view kBranch = "ref: refs/heads/";
  if (!line->starts_with(kBranch)) return std::nullopt;
  auto commit = read_ref(repository, line->substr(5));
  if (!commit) return std::nullopt;
  return Head{line->substr(kBranch.size()), *commit};
}

std::vector<Registration> registrations(const GitDir& repository) {
  std::vector<Registration> found;
  const auto entries = list_folder(repository.common_dir / "worktrees");
  if (!entries) return found;
  for (const fs::path& entry : *entries) {
    const auto line = line_of(entry / "gitdir");
    if (!line) continue;
    // Newer gits may write it relative to the administrative folder.
    const fs::path dot_git = fs::path(*line).is_absolute() ? fs::path(*line) : real(entry / *line);
    found.push_back({entry, dot_git.parent_path(), path_exists(entry / "locked")});
  }
  return found;
}

}  // namespace wave::workspace
