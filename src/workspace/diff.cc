#include <charconv>

#include "base/file.h"
#include "base/text.h"
#include "workspace/git.h"
#include "workspace/git_dir.h"
#include "workspace/workspace.h"

namespace wave::workspace {
namespace {

/// Takes NUL-terminated fields off git's output.
class Fields {
 public:
  explicit Fields(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  [[nodiscard]] bool at_raw() const { return rest_.starts_with(':'); }
  std::string_view next() {
    const size_t end = std::min(rest_.find('\0'), rest_.size());
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return field;
  }

 private:
  std::string_view rest_;
};

std::string status_word(char letter) {
  switch (letter) {
    case 'A':
    case 'C':
      return "added";
    case 'D':
      return "deleted";
    case 'R':
      return "renamed";
    default:
      return "modified";
  }
}

// ":<mode> <mode> <id> <id> <status>\0<path>\0[<new path>\0]", git-diff-tree(1), raw output format.
FileDiff read_raw(Fields& fields) {
  const std::string_view head = fields.next();
  const size_t space = head.rfind(' ');
  const char letter = space + 1 < head.size() ? head[space + 1] : 'M';
  FileDiff file;
  file.status = status_word(letter);
  file.path = fields.next();
  if (letter == 'R' || letter == 'C') {
    if (letter == 'R') file.old_path = file.path;
    file.path = fields.next();
  }
  return file;
}

int to_count(std::string_view text) {
  int count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

// "<added>\t<deleted>\t<path>\0" or, for renames, "<added>\t<deleted>\t\0<old>\0<new>\0"; "-" for
// binary.
void read_counts(Fields& fields, std::map<std::string, FileDiff*>& files) {
  const std::string_view head = fields.next();
  const size_t first = head.find('\t');
  const size_t second = first == std::string_view::npos ? first : head.find('\t', first + 1);
  if (second == std::string_view::npos) return;
  std::string path(head.substr(second + 1));
  if (path.empty()) {
    fields.next();
    path = fields.next();
  }
  const auto at = files.find(path);
  if (at == files.end()) return;
  const std::string_view added = head.substr(0, first);
  at->second->binary = added == "-";
  at->second->additions = to_count(added);
  at->second->deletions = to_count(head.substr(first + 1, second - first - 1));
}

std::vector<FileDiff> parse(std::string_view output) {
  Fields fields(output);
  std::vector<FileDiff> diffs;
  while (!fields.done() && fields.at_raw()) diffs.push_back(read_raw(fields));
  std::map<std::string, FileDiff*> by_path;
  for (FileDiff& file : diffs) by_path.emplace(file.path, &file);
  while (!fields.done()) read_counts(fields, by_path);
  for (FileDiff& file : diffs) {
    file.path = to_valid_utf8(file.path);
    file.old_path = to_valid_utf8(file.old_path);
  }
  return diffs;
}

Status check_revision(const std::string& revision) {
  if (!revision.empty() && !revision.starts_with('-') && !revision.contains('\0')) return {};
  return fail(Code::kUsage, fmt::format("\"{}\" is no commit or tree", excerpt(revision, 80)));
}

/// Compares two commits or trees with the plumbing command: the user's diff settings, external
/// diffs and filters do not reach it. `form` is how it prints; no paths: all of them.
Result<std::string> diff_tree(const fs::path& repository, const std::string& from,
                              const std::string& to, std::vector<std::string> form,
                              std::vector<std::string> paths, const std::stop_token& stop) {
  WAVE_CHECK(check_revision(from));
  WAVE_CHECK(check_revision(to));
  const auto found = find_git_dir(repository);
  if (!found) {
    return fail(Code::kConflict, fmt::format("{} is not in a git repository", repository.native()));
  }
  GitCall call = call_in(*found, {"diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv"});
  call.environment = {{"GIT_LITERAL_PATHSPECS", "1"}};  // a file may be called ":(top)*"
  std::ranges::move(form, std::back_inserter(call.arguments));
  call.arguments.insert(call.arguments.end(), {"--end-of-options", from, to, "--"});
  std::ranges::move(paths, std::back_inserter(call.arguments));
  call.stop = stop;
  return git_output(call);
}

}  // namespace

Result<std::vector<FileDiff>> diff(const fs::path& repository, const std::string& from,
                                   const std::string& to, const std::stop_token& stop) {
  WAVE_TRY(const std::string output,
           diff_tree(repository, from, to, {"-z", "--raw", "--numstat"}, {}, stop));
  return parse(output);
}

Result<std::string> file_diff(const fs::path& repository, const std::string& from,
                              const std::string& to, const FileDiff& file,
                              const std::stop_token& stop) {
  std::vector<std::string> paths{file.path};
  if (!file.old_path.empty()) paths.push_back(file.old_path);
  return diff_tree(repository, from, to, {"-p"}, std::move(paths), stop);
}

}  // namespace wave::workspace
