// Back to a checkpoint. Branch and files return; what the branch had reached meanwhile stays
// reachable under refs/wave/<run>/restored/<commit>.
#include <unistd.h>

#include "base/text.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/remove_tree.h"
#include "workspace/stale_locks.h"

namespace wave::workspace {
namespace {

/// What a checkpoint's commit object says.
struct Target {
  std::string tree, parent, branch;
  std::vector<std::string> left_out;
};

Result<std::string> git(const GitDir& repository, std::vector<std::string> arguments) {
  return git_output(call_in(repository, std::move(arguments)));
}

Result<Target> read_target(const GitDir& repository, const std::string& commit) {
  if (!is_object_id(commit)) {
    return fail(Code::kUsage, fmt::format("\"{}\" is no commit id", excerpt(commit, 80)));
  }
  WAVE_TRY(const std::string text, git(repository, {"cat-file", "commit", commit}));
  Target target;
  bool in_header = true;
  for (const std::string& line : split(text, '\n')) {
    if (line.empty()) in_header = false;
    if (in_header && line.starts_with("tree ")) target.tree = line.substr(5);
    if (in_header && line.starts_with("parent ")) target.parent = line.substr(7);
    if (!in_header && line.starts_with("Wave-Branch: ")) target.branch = line.substr(13);
    if (!in_header && line.starts_with("Wave-Left-Out: "))
      target.left_out.push_back(line.substr(15));
  }
  return target;
}

/// A gitignore(5) pattern for this file only.
std::string pattern_of(const std::string& file) {
  std::string pattern = "/";
  for (const char c : file) {
    if (std::string_view("\\*?[ ").contains(c)) pattern += '\\';
    pattern += c;
  }
  return pattern;
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

Status move_files(const GitDir& repository, const Target& target) {
  WAVE_TRY(const std::string read, git(repository, {"read-tree", "--reset", "-u", target.tree}));
  std::vector<std::string> clean{"clean", "-ffdq"};
  const fs::path& top = repository.work_tree;
  if (const auto ready = RunFolder::around(top).ready(top.filename())) {
    for (const std::string& file : ready->hidden) clean.push_back("--exclude=/" + file);
  }
  for (const std::string& file : target.left_out) {
    clean.push_back("--exclude=" + pattern_of(file));
  }
  WAVE_TRY(const std::string cleaned, git(repository, clean));
  if (target.parent.empty()) return {};
  // The index back to HEAD: what was not committed at the checkpoint is not staged now.
  WAVE_TRY(const std::string reset, git(repository, {"read-tree", "--reset", target.parent}));
  // Only saves later gits some work: that files differ from HEAD is no failure here.
  (void)git(repository, {"update-index", "-q", "--refresh"});
  return {};
}

}  // namespace

Status restore(const Prepared& workspace, const std::string& commit) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) {
    return fail(Code::kConflict, fmt::format("{} is no git worktree", workspace.root.native()));
  }
  WAVE_TRY(const Target target, read_target(*repository, commit));
  WAVE_CHECK(forget_unfinished_work(*repository));
  WAVE_CHECK(move_head(*repository, target));
  return move_files(*repository, target);
}

}  // namespace wave::workspace
