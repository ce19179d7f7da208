// Back to a checkpoint. Branch, index and files return; what the branch had reached meanwhile stays
// reachable under refs/wave/<run>/restored/<commit>.
#include <unistd.h>

#include "base/text.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/notes.h"
#include "workspace/remove_tree.h"
#include "workspace/restore_files.h"
#include "workspace/stale_locks.h"

namespace wave::workspace {
namespace {

/// What a checkpoint's commit object says.
struct Target {
  std::string tree, parent, branch, staged;
  Kept kept;
};

constexpr size_t kMaxState = size_t{64} << 20;

Result<std::string> git(const GitDir& repository, std::vector<std::string> arguments) {
  return git_output(call_in(repository, std::move(arguments)));
}

Result<Target> read_target(const GitDir& repository, const std::string& commit) {
  if (!is_object_id(commit)) {
    return fail(Code::kUsage, fmt::format("\"{}\" is no commit id", excerpt(commit, 80)));
  }
  WAVE_TRY(const std::string text, git(repository, {"cat-file", "commit", commit}));
  const size_t header = std::min(text.find("\n\n"), text.size());
  const Notes notes = read_notes(text.substr(header));
  Target target{.branch = notes.branch, .staged = notes.staged};
  for (const std::string& line : split(text.substr(0, header), '\n')) {
    if (line.starts_with("tree ")) target.tree = line.substr(5);
    const bool is_parent = line.starts_with("parent ") && target.parent.empty();
    if (is_parent && line.substr(7) != notes.kept) target.parent = line.substr(7);
  }
  if (is_object_id(notes.state)) {
    GitCall read = call_in(repository, {"cat-file", "blob", notes.state});
    read.max_output = kMaxState;
    WAVE_TRY(const std::string state, git_output(read));
    target.kept = decode_kept(state);
  }
  target.kept.usual = notes.usual;
  target.kept.cut |= !notes.complete;
  return target;
}

// A killed git leaves these behind, and every later git refuses to work.
Status forget_unfinished_work(const GitDir& repository) {
  remove_worktree_locks(repository);
  for (const char* state : {"rebase-merge", "rebase-apply", "sequencer"}) {
    WAVE_CHECK(remove_tree(repository.git_dir / state));
  }
  for (const char* state :
       {"MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "CHERRY_PICK_HEAD", "REVERT_HEAD", "AUTO_MERGE"}) {
    ::unlink((repository.git_dir / state).c_str());
  }
  return {};
}

Status keep_reachable(const GitDir& repository, const std::string& commit) {
  const std::string run = repository.work_tree.parent_path().filename();
  if (!is_safe_name(run)) return {};
  WAVE_TRY(const std::string ignored,
           git(repository,
               {"update-ref", fmt::format("refs/wave/{}/restored/{}", run, commit), commit}));
  return {};
}

Status move_head(const GitDir& repository, const Target& target) {
  if (target.parent.empty()) return {};
  const auto head = read_head(repository);
  if (head && head->branch != target.branch) {
    if (!target.branch.empty()) {
      WAVE_TRY(const std::string ignored,
               git(repository, {"symbolic-ref", "HEAD", "refs/heads/" + target.branch}));
    } else {
      WAVE_TRY(const std::string ignored,
               git(repository, {"update-ref", "--no-deref", "HEAD", target.parent}));
    }
  }
  const auto now = read_head(repository);
  if (now && now->commit == target.parent) return {};
  if (now && !now->commit.empty()) WAVE_CHECK(keep_reachable(repository, now->commit));
  WAVE_TRY(
      const std::string ignored,
      git(repository, {"update-ref", "-m", "wave: back to a checkpoint", "HEAD", target.parent}));
  return {};
}

// The index as it was, without touching what it has in common with the one that is there.
Status move_index(const GitDir& repository, const Target& target) {
  const std::string& tree = is_object_id(target.staged) ? target.staged : target.parent;
  const std::vector<std::string> read =
      tree.empty() ? std::vector<std::string>{"read-tree", "--empty"}
                   : std::vector<std::string>{"read-tree", "--reset", tree};
  WAVE_TRY(const std::string reset, git(repository, read));
  // Only saves later gits some work: that files differ from it is no failure here.
  (void)git(repository, {"update-index", "-q", "--refresh"});
  return {};
}

// How it stands now. A broken index is worth nothing: the checkpoint's comes in its place.
Result<Snapshot> look_at(const GitDir& repository, const Target& target) {
  auto now = Snapshot::take(repository, {}, target.kept.left_out);
  if (now || now.error().code != Code::kGit) return now;
  ::unlink((repository.git_dir / "index").c_str());
  return Snapshot::take(repository, {}, target.kept.left_out);
}

}  // namespace

Status restore(const Prepared& workspace, const std::string& commit) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) {
    return fail(Code::kConflict, fmt::format("{} is no git worktree", workspace.root.native()));
  }
  WAVE_TRY(const Target target, read_target(*repository, commit));
  WAVE_CHECK(forget_unfinished_work(*repository));
  WAVE_TRY(const Snapshot now, look_at(*repository, target));
  WAVE_CHECK(move_head(*repository, target));
  WAVE_CHECK(restore_files(now, target.tree, target.kept));
  return move_index(*repository, target);
}

}  // namespace wave::workspace
