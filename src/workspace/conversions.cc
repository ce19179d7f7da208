// Files that git converts on their way into the repository and back (line ends, $Id$, encodings,
// filters): what they hold is not what the tree holds.
#include <array>
#include <cstdlib>

#include "base/file.h"
#include "base/text.h"
#include "workspace/index_file.h"
#include "workspace/survey.h"

namespace wave::workspace {
namespace {

constexpr int64_t kMaxExactFile = 1 << 20;
constexpr int64_t kMaxExact = 64 << 20;
constexpr std::string_view kAttributes = ".gitattributes";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// gitattributes(5): the files that stand outside of the worktree.
bool has_attributes_outside(const GitDir& repository) {
  if (is_there(repository.common_dir / "info/attributes") || is_there("/etc/gitattributes"))
    return true;
  const char* config = ::getenv("XDG_CONFIG_HOME");
  const char* home = ::getenv("HOME");
  if (config != nullptr && *config != '\0') return is_there(fs::path(config) / "git/attributes");
  return home != nullptr && is_there(fs::path(home) / ".config/git/attributes");
}

Result<bool> has_settings(const RawGit& git) {
  const GitCall call = git.converting_call({"config", "--includes", "--name-only", "--get-regexp",
                                            "^core\\.(autocrlf|attributesfile)$"});
  WAVE_TRY(const auto result, run_git(call));
  return result.exit_code == 0;  // 1: there is none
}

constexpr uint64_t kMaxAttributes = 1 << 20;
constexpr std::array<std::string_view, 6> kConverting{"text",  "crlf",   "eol",
                                                      "ident", "filter", "working-tree-encoding"};

// Lines of "<pattern> <attribute>..."; "-text" and the like switch off.
bool names_conversion(const std::string& text) {
  for (std::string line : split(text, '\n')) {
    line = replace_all(replace_all(std::move(line), "\t", " "), "\r", " ");
    for (const std::string& word : split(line, ' ')) {
      const std::string_view name = std::string_view(word).substr(0, word.find('='));
      if (std::ranges::find(kConverting, name) != kConverting.end()) return true;
    }
  }
  return false;
}

bool is_attributes(std::string_view path) {
  if (!path.ends_with(kAttributes)) return false;
  path.remove_suffix(kAttributes.size());
  return path.empty() || path.ends_with('/');
}

// Without any of these no file is converted, which spares the look at all of them.
Result<bool> may_convert(const RawGit& git, const Survey& found) {
  for (const auto& [path, file] : found.files) {
    if (!is_attributes(path)) continue;
    const auto text = read_file(git.repository().work_tree / path, kMaxAttributes);
    // One that is not there may have been when the files were taken over.
    if (!text || names_conversion(*text)) return true;
  }
  if (has_attributes_outside(git.repository())) return true;
  return has_settings(git);
}

/// Where a file of the index stands.
struct Suspect {
  const std::string* path;
  const Listed* file;
};

// A conversion changes the length of a file, save for odd ones that nobody uses. What git has just
// added, it added unconverted.
Result<std::vector<Suspect>> converted_files(const RawGit& git, const Survey& found) {
  std::vector<Suspect> suspects;
  GitCall call = git.call({"cat-file", "--batch-check=%(objectsize)", "--buffer"});
  call.max_output = kMaxListing;
  for (const auto& [path, file] : found.files) {
    if (file.size < 0 || found.kept.left_out.contains(path)) continue;
    suspects.push_back({&path, &file});
    call.input.append(id_text(file.id)).push_back('\n');
  }
  WAVE_TRY(const std::string output, git_output(call));
  std::vector<Suspect> converted;
  const std::vector<std::string> sizes = split(output, '\n');
  for (size_t i = 0; i < suspects.size() && i < sizes.size(); ++i) {
    if (sizes[i] != std::to_string(suspects[i].file->size)) converted.push_back(suspects[i]);
  }
  return converted;
}

Status keep_bytes(const RawGit& git, const std::vector<std::string>& paths, Survey& found) {
  if (paths.empty()) return {};
  GitCall call = git.call({"hash-object", "-w", "--no-filters", "--stdin-paths"});
  for (const std::string& path : paths) call.input.append(path).push_back('\n');
  WAVE_TRY(const std::string output, git_output(call));
  const std::vector<std::string> ids = split(trim(output), '\n');
  if (ids.size() != paths.size()) return fail(Code::kGit, "git hash-object named too few objects");
  for (size_t i = 0; i < paths.size(); ++i) found.kept.exact[paths[i]] = ids[i];
  return {};
}

// One a line, and a quotation mark begins a quoted one; git-hash-object(1).
bool can_be_listed(const std::string& path) {
  return !path.contains('\n') && !path.starts_with('"');
}

}  // namespace

Status survey_conversions(const RawGit& git, Survey& found) {
  WAVE_TRY(const bool may, may_convert(git, found));
  if (!may) return {};
  WAVE_TRY(const std::vector<Suspect> converted, converted_files(git, found));
  std::vector<std::string> exact;
  int64_t bytes = 0;
  for (const auto& [path, file] : converted) {
    const bool fits = file->size <= kMaxExactFile && bytes + file->size <= kMaxExact;
    if (!fits || !can_be_listed(*path)) {
      found.kept.converted.insert(*path);
      continue;
    }
    bytes += file->size;
    exact.push_back(*path);
  }
  return keep_bytes(git, exact, found);
}

}  // namespace wave::workspace
