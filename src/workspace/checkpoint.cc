// Checkpoints: a worktree's content as a commit that no branch knows of.
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "workspace/copy_file.h"
#include "workspace/git.h"
#include "workspace/kinds.h"

namespace wave::workspace {
namespace {

/// A copy of the worktree's index that git may change; gone with this object. Beside the original,
/// as git creates its lock file there too.
class TemporaryIndex {
 public:
  static Result<TemporaryIndex> copy_of(const GitDir& repository) {
    std::string name = repository.git_dir / "wave-index-XXXXXX";
    UniqueFd target(::mkostemp(name.data(), O_CLOEXEC));
    if (!target.valid()) return fail(errno_error(errno, "cannot create", name));
    TemporaryIndex index(std::move(name));
    const auto source = open_file(repository.git_dir / "index", O_RDONLY);
    if (source) WAVE_CHECK(copy_bytes(source->get(), target.get()));
    // git takes an empty file for a broken index, and a missing one for an empty index.
    if (!source) ::unlink(index.path_.c_str());
    return index;
  }
  TemporaryIndex(TemporaryIndex&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryIndex& operator=(TemporaryIndex&&) = delete;
  ~TemporaryIndex() {
    if (path_.empty()) return;
    ::unlink(path_.c_str());
    ::unlink((path_ + ".lock").c_str());
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TemporaryIndex(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// What an event is going to name must outlive a power failure.
GitCall durable_call(const GitDir& repository, std::vector<std::string> arguments) {
  GitCall call = call_in(repository, std::move(arguments));
  call.durable = true;
  return call;
}

std::vector<std::string> hidden_files(const GitDir& repository) {
  const fs::path& top = repository.work_tree;
  const auto ready = RunFolder::around(top).ready(top.filename());
  return ready ? ready->hidden : std::vector<std::string>{};
}

// Everything but ignored files and wave's own instruction files. A file that cannot be read, or a
// repository without a commit inside the worktree, is left out and said in the log: all else is
// kept.
Status add_everything(const GitDir& repository, const TemporaryIndex& index) {
  std::vector<std::string> arguments{"add", "--all", "--", "."};
  for (const std::string& file : hidden_files(repository)) {
    arguments.push_back(":(exclude,top,literal)" + file);
  }
  GitCall call = durable_call(repository, arguments);
  call.environment["GIT_INDEX_FILE"] = index.path();
  WAVE_TRY(const auto result, run_git(call));
  if (result.exit_code == 0) return {};
  arguments.insert(arguments.begin() + 1, "--ignore-errors");
  call.arguments = arguments;
  WAVE_TRY(const auto again, run_git(call));
  // 1: some files were left out; 128 and the like: nothing was done.
  if (again.exit_code != 1) return fail(git_error(call, result));
  log::warning("checkpoint of {} is incomplete: {}", repository.work_tree.native(),
               excerpt(trim(again.err), 500));
  return {};
}

Result<std::string> write_tree(const GitDir& repository) {
  WAVE_TRY(const TemporaryIndex index, TemporaryIndex::copy_of(repository));
  WAVE_CHECK(add_everything(repository, index));
  GitCall call = durable_call(repository, {"write-tree"});
  call.environment["GIT_INDEX_FILE"] = index.path();
  WAVE_TRY(const std::string tree, git_output(call));
  return std::string(trim(tree));
}

/// HEAD's commit and tree; both empty before the first commit of a branch.
struct Parent {
  std::string commit, tree;
};

Result<Parent> parent_of(const GitDir& repository) {
  const GitCall call =
      durable_call(repository, {"rev-parse", "--quiet", "HEAD^{commit}", "HEAD^{tree}"});
  WAVE_TRY(const auto result, run_git(call));
  const std::vector<std::string> lines = split(trim(result.out), '\n');
  if (result.exit_code != 0 || lines.size() != 2 || !is_object_id(lines[0])) return Parent{};
  return Parent{lines[0], lines[1]};
}

// The branch is written down so that restore finds it again after an agent has switched.
std::string commit_message(const GitDir& repository, const std::string& message) {
  const auto head = read_head(repository);
  if (!head || head->branch.empty()) return message + "\n";
  return fmt::format("{}\n\nWave-Branch: {}\n", message, head->branch);
}

Result<std::string> commit_tree(const GitDir& repository, const std::string& tree,
                                const Parent& parent, const std::string& message) {
  std::vector<std::string> arguments{"commit-tree", tree};
  if (!parent.commit.empty()) arguments.insert(arguments.end(), {"-p", parent.commit});
  GitCall call = durable_call(repository, std::move(arguments));
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    call.environment[fmt::format("GIT_{}_NAME", who)] = "wave";
    call.environment[fmt::format("GIT_{}_EMAIL", who)] = "wave@localhost";
  }
  call.input = commit_message(repository, message);
  WAVE_TRY(const std::string commit, git_output(call));
  return std::string(trim(commit));
}

Status check_ref(const std::string& ref) {
  if (ref.starts_with("refs/wave/") && !ref.contains("..") && !ref.contains('\n')) return {};
  return fail(Code::kUsage, fmt::format("\"{}\" is no name for a checkpoint", excerpt(ref, 200)));
}

}  // namespace

Result<std::optional<Checkpoint>> checkpoint(const Prepared& workspace, const std::string& ref,
                                             const std::string& message) {
  WAVE_CHECK(check_ref(ref));
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::nullopt;
  WAVE_TRY(const std::string tree, write_tree(*repository));
  WAVE_TRY(const Parent parent, parent_of(*repository));
  WAVE_TRY(const std::string commit, commit_tree(*repository, tree, parent, message));
  WAVE_TRY(const std::string ignored,
           git_output(durable_call(*repository, {"update-ref", ref, commit})));
  return Checkpoint{ref, commit, tree, tree == parent.tree};
}

Result<std::optional<std::string>> tree_id(const Prepared& workspace) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::nullopt;
  WAVE_TRY(std::string tree, write_tree(*repository));
  return tree;
}

}  // namespace wave::workspace
