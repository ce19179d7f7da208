#include "workspace/restore_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "base/system_fault.h"
#include "base/text.h"
#include "workspace/beneath.h"
#include "workspace/index_file.h"
#include "workspace/remove_tree.h"

namespace wave::workspace {
namespace {

constexpr unsigned kOwnerMayWrite = 0700;

struct TreeFile {
  uint32_t mode = 0;
  std::string id;
};
/// By path; std::map, so that folders come before what is in them.
using TreeFiles = std::map<std::string, TreeFile>;

// "<mode> <type> <id>\t<path>" records; git-ls-tree(1).
Result<TreeFiles> list_tree(const RawGit& git, const std::string& tree) {
  GitCall call = git.call({"ls-tree", "-r", "-z", tree});
  call.max_output = kMaxListing;
  WAVE_TRY(const std::string output, git_output(call));
  TreeFiles files;
  for (const std::string& record : split(output, '\0')) {
    const size_t tab = record.find('\t');
    const std::vector<std::string> words = split(record.substr(0, tab), ' ');
    if (tab == std::string::npos || words.size() != 3) continue;
    TreeFile& file = files[record.substr(tab + 1)];
    std::from_chars(words[0].data(), words[0].data() + words[0].size(), file.mode, 8);
    file.id = words[2];
  }
  return files;
}

/// Which bytes a path has: those of a blob, as they are or as git converts them.
struct Bytes {
  uint32_t mode = 0;
  std::string id;
  bool converted = false;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

Bytes bytes_of(const std::string& path, uint32_t mode, const std::string& id, const Kept& kept) {
  const auto exact = kept.exact.find(path);
  if (exact != kept.exact.end()) return {mode, exact->second};
  return {mode, id, kept.converted.contains(path)};
}

/// Guards: every step looks at the worktree as the one before it has left it.
class Restoration {
 public:
  Restoration(const Snapshot& now, std::string tree, const Kept& kept, const Beneath& top)
      : git_(now.git()), tree_(std::move(tree)), kept_(kept), top_(top) {}

  Status run(const Survey& now) {
    WAVE_TRY(const TreeFiles wanted, list_tree(git_, tree_));
    WAVE_TRY(const std::string read, git_output(git_.call({"read-tree", tree_})));
    open_folders(now);
    WAVE_CHECK(write(changed(now, wanted), wanted));
    // By the ignore rules that are there again.
    WAVE_TRY(const Survey after, survey(git_, hidden_files(git_.repository())));
    if (!kept_.cut) WAVE_CHECK(remove_new(after));
    for (const std::string& folder : kept_.empty_folders) {
      WAVE_CHECK(unless_short(top_.make_directories(folder)));
    }
    return restore_modes(after);
  }

 private:
  // A mode or an empty folder that cannot be set (of another user's file, say) must not stop the
  // rest.
  static Status unless_short(Status done) {
    return done || is_shortage(done.error()) ? done : Status();
  }

  // What has other bytes now, or cannot be told.
  [[nodiscard]] std::vector<std::string> changed(const Survey& now, const TreeFiles& wanted) const {
    std::vector<std::string> paths;
    for (const auto& [path, file] : wanted) {
      if (kept_.left_out.contains(path)) continue;
      const bool unknown = now.kept.left_out.contains(path);
      const auto there = now.files.find(path);
      const bool same = !unknown && there != now.files.end() &&
                        bytes_of(path, there->second.git_mode, id_text(there->second.id),
                                 now.kept) == bytes_of(path, file.mode, file.id, kept_);
      if (!same && !(file.mode == kGitlink && exists(path))) paths.push_back(path);
    }
    return paths;
  }

  [[nodiscard]] bool exists(const std::string& path) const {
    const auto found = top_.stat(path);
    return found && *found;
  }

  // What was written without permission to write into it has to be opened first.
  void open_folders(const Survey& now) const {
    for (const auto& [folder, mode] : std::map(now.folders.begin(), now.folders.end())) {
      const bool open = (mode & kOwnerMayWrite) == kOwnerMayWrite;
      if (!open) (void)change_mode(folder, mode | kOwnerMayWrite);
    }
  }

  Status write(const std::vector<std::string>& paths, const TreeFiles& wanted) const {
    GitCall exact = git_.call({"update-index", "-z", "--index-info"});
    GitCall raw = git_.call({"checkout-index", "-f", "-z", "--stdin"});
    GitCall converted = git_.converting_call({"checkout-index", "-f", "-z", "--stdin"});
    for (const std::string& path : paths) {
      const TreeFile& file = wanted.at(path);
      const Bytes bytes = bytes_of(path, file.mode, file.id, kept_);
      if (bytes.id != file.id) {
        exact.input += fmt::format("{:o} {}\t{}{}", bytes.mode, bytes.id, path, '\0');
      }
      (bytes.converted ? converted : raw).input.append(path).push_back('\0');
    }
    for (const GitCall* call : {&exact, &raw, &converted}) {
      if (call->input.empty()) continue;
      WAVE_TRY(const std::string ignored, git_output(*call));
    }
    return {};
  }

  // What is here, is not ignored, and was not there then: but for what the checkpoint could not
  // hold.
  Status remove_new(const Survey& after) const {
    std::set<std::string> emptied;
    for (const std::string& path : after.kept.left_out) {
      if (holds(kept_.left_out, path) || after.files.contains(path)) continue;
      WAVE_CHECK(remove(path));
      if (path.contains('/')) emptied.insert(path.substr(0, path.rfind('/')));
    }
    for (const std::string& path : after.kept.empty_folders) {
      if (!kept_.empty_folders.contains(path) && !holds(kept_.left_out, path)) emptied.insert(path);
    }
    // The deepest first.
    for (auto at = emptied.rbegin(); at != emptied.rend(); ++at) remove_empty(*at);
    return {};
  }

  Status remove(const std::string& path) const {
    const auto removed = top_.remove(path);
    if (removed && *removed) return {};
    return remove_tree(git_.repository().work_tree / path, git_.repository().stop);
  }

  // Upwards, as far as nothing is left.
  void remove_empty(std::string folder) const {
    const fs::path& top = git_.repository().work_tree;
    while (!folder.empty() && ::rmdir((top / folder).c_str()) == 0) {
      folder.resize(folder.contains('/') ? folder.rfind('/') : 0);
    }
  }

  Status restore_modes(const Survey& after) const {
    const auto wanted = [&](const std::string& path, unsigned usual) -> std::optional<unsigned> {
      const auto at = kept_.modes.find(path);
      if (at != kept_.modes.end()) return at->second;
      if (kept_.cut) return std::nullopt;
      return usual;
    };
    for (const auto& [path, file] : after.files) {
      if (file.size < 0 || kept_.left_out.contains(path)) continue;
      const auto mode = wanted(path, usual_mode(kept_.usual, file));
      if (mode && *mode != file.mode) WAVE_CHECK(unless_short(change_mode(path, *mode)));
    }
    // The deepest first: a folder may close.
    std::set<std::string> folders = kept_.empty_folders;
    for (const auto& [path, mode] : after.folders) folders.insert(path);
    for (auto at = folders.rbegin(); at != folders.rend(); ++at) {
      const auto mode = wanted(*at, kept_.usual.folder);
      const auto seen = after.folders.find(*at);
      const bool same = seen != after.folders.end() && mode && seen->second == *mode;
      if (mode && !same && exists(*at)) WAVE_CHECK(unless_short(change_mode(*at, *mode)));
    }
    return {};
  }

  // Through the descriptor: a link that is put there meanwhile is not followed.
  Status change_mode(const std::string& path, unsigned mode) const {
    WAVE_TRY(const UniqueFd fd, top_.open_file(path, O_PATH | O_NOFOLLOW));
    const std::string itself = fmt::format("/proc/self/fd/{}", fd.get());
    if (::chmod(itself.c_str(), mode) == 0) return {};
    return fail(errno_error(errno, "cannot change the mode of", path));
  }

  const RawGit& git_;
  std::string tree_;
  const Kept& kept_;
  const Beneath& top_;
};

}  // namespace

Status restore_files(const Snapshot& now, const std::string& tree, const Kept& kept) {
  WAVE_TRY(const Survey survey, now.look_around());
  WAVE_TRY(const Beneath top, Beneath::open(now.git().repository().work_tree));
  return Restoration(now, tree, kept, top).run(survey);
}

}  // namespace wave::workspace
