// Checkpoints: a worktree's content as a commit that no branch knows of.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "workspace/abandoned_objects.h"
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
  /// After a git that was killed while it wrote.
  void unlock() const { ::unlink((path_ + ".lock").c_str()); }

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

constexpr Millis kListPatience{10'000};
constexpr std::string_view kLeftOut = "Wave-Left-Out: ";

/// What git sees of the worktree by now, in an index of its own.
class Snapshot {
 public:
  static Result<Snapshot> take(const GitDir& repository, const CheckpointLimits& limits) {
    WAVE_TRY(TemporaryIndex index, TemporaryIndex::copy_of(repository));
    Snapshot snapshot(repository, std::move(index));
    Status added = snapshot.add_or_tidy(limits.patience);
    if (!added && added.error().code == Code::kTimeout) {
      WAVE_CHECK(snapshot.leave_out_large(limits.large_file));
      added = snapshot.add_or_tidy(limits.patience);
    }
    if (!added) return fail(added.error());
    WAVE_TRY(const std::string tree, git_output(snapshot.call({"write-tree"})));
    snapshot.tree_ = trim(tree);
    return snapshot;
  }

  [[nodiscard]] const std::string& tree() const { return tree_; }
  [[nodiscard]] const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  Snapshot(const GitDir& repository, TemporaryIndex index)
      : repository_(repository), index_(std::move(index)) {}

  [[nodiscard]] GitCall call(std::vector<std::string> arguments) const {
    GitCall call = durable_call(repository_, std::move(arguments));
    call.environment["GIT_INDEX_FILE"] = index_.path();
    return call;
  }

  /// add; of a git that was broken off nothing stays.
  Status add_or_tidy(Millis patience) {
    // The file system's clock may be a tick behind.
    const auto since = fs::file_time_type::clock::now() - std::chrono::seconds(1);
    Status added = add(patience);
    const bool cut = !added && (added.error().code == Code::kTimeout ||
                                added.error().code == Code::kInterrupted);
    if (cut) remove_abandoned_objects(repository_, since);
    return added;
  }

  // Everything but ignored files and wave's own instruction files. A file that cannot be read, or a
  // repository without a commit inside the worktree, is left out and said: all else is kept.
  Status add(Millis patience) {
    std::vector<std::string> arguments{"add", "--all", "--", "."};
    for (const std::string& file : hidden_files(repository_)) exclude(arguments, file);
    for (const std::string& file : left_out_) exclude(arguments, file);
    GitCall add = call(arguments);
    add.timeout = patience;
    WAVE_TRY(const auto result, run_git(add));
    if (result.exit_code == 0) return {};
    add.arguments.insert(add.arguments.begin() + 1, "--ignore-errors");
    WAVE_TRY(const auto again, run_git(add));
    // 1: some files were left out; 128 and the like: nothing was done.
    if (again.exit_code != 1) return fail(git_error(add, result));
    left_out_.push_back(excerpt(replace_all(std::string(trim(again.err)), "\n", "; "), 500));
    return {};
  }

  static void exclude(std::vector<std::string>& arguments, const std::string& file) {
    arguments.push_back(":(exclude,top,literal)" + file);
  }

  Status leave_out_large(uint64_t large) {
    index_.unlock();
    GitCall list = call({"ls-files", "-z", "--others", "--modified", "--exclude-standard"});
    list.timeout = kListPatience;
    WAVE_TRY(const std::string output, git_output(list));
    for (const std::string& file : split(output, '\0')) {
      struct stat info{};
      if (file.empty() || ::lstat((repository_.work_tree / file).c_str(), &info) != 0) continue;
      const bool is_large = S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) >= large;
      if (is_large) left_out_.push_back(file);
    }
    if (!left_out_.empty()) return {};
    return fail(Code::kTimeout, "so much has changed that git did not read it in time");
  }

  GitDir repository_;
  TemporaryIndex index_;
  std::string tree_;
  std::vector<std::string> left_out_;
};

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

// The branch is written down so that restore finds it again after an agent has switched; what was
// left out so that restore leaves it where it is.
std::string commit_message(const GitDir& repository, const std::string& message,
                           const std::vector<std::string>& left_out) {
  std::string notes;
  const auto head = read_head(repository);
  if (head && !head->branch.empty()) notes += fmt::format("Wave-Branch: {}\n", head->branch);
  for (const std::string& file : left_out) {
    if (!file.contains('\n')) notes += fmt::format("{}{}\n", kLeftOut, file);
  }
  return notes.empty() ? message + "\n" : fmt::format("{}\n\n{}", message, notes);
}

Result<std::string> commit_tree(const GitDir& repository, const Snapshot& snapshot,
                                const Parent& parent, const std::string& message) {
  std::vector<std::string> arguments{"commit-tree", snapshot.tree()};
  if (!parent.commit.empty()) arguments.insert(arguments.end(), {"-p", parent.commit});
  GitCall call = durable_call(repository, std::move(arguments));
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    call.environment[fmt::format("GIT_{}_NAME", who)] = "wave";
    call.environment[fmt::format("GIT_{}_EMAIL", who)] = "wave@localhost";
  }
  call.input = commit_message(repository, message, snapshot.left_out());
  WAVE_TRY(const std::string commit, git_output(call));
  return std::string(trim(commit));
}

Status check_ref(const std::string& ref) {
  if (ref.starts_with("refs/wave/") && !ref.contains("..") && !ref.contains('\n')) return {};
  return fail(Code::kUsage, fmt::format("\"{}\" is no name for a checkpoint", excerpt(ref, 200)));
}

}  // namespace

Result<std::optional<Checkpoint>> checkpoint(const Prepared& workspace, const std::string& ref,
                                             const std::string& message,
                                             const CheckpointLimits& limits) {
  WAVE_CHECK(check_ref(ref));
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::nullopt;
  WAVE_TRY(const Snapshot snapshot, Snapshot::take(*repository, limits));
  WAVE_TRY(const Parent parent, parent_of(*repository));
  WAVE_TRY(const std::string commit, commit_tree(*repository, snapshot, parent, message));
  WAVE_TRY(const std::string ignored,
           git_output(durable_call(*repository, {"update-ref", ref, commit})));
  return Checkpoint{ref, commit, snapshot.tree(), snapshot.tree() == parent.tree,
                    snapshot.left_out()};
}

Result<std::optional<std::string>> tree_id(const Prepared& workspace) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::nullopt;
  WAVE_TRY(const Snapshot snapshot, Snapshot::take(*repository, {}));
  return snapshot.left_out().empty() ? snapshot.tree() : snapshot.tree() + "-incomplete";
}

Result<std::string> tree_to_compare(const GitDir& repository) {
  WAVE_TRY(const Snapshot snapshot, Snapshot::take(repository, {}));
  return snapshot.tree();
}

}  // namespace wave::workspace
