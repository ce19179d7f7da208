// The end of a run's workspaces. Whatever the run left, the user's repository is afterwards as if
// it had not been: but for branches that hold commits of their own.
#include <sys/stat.h>

#include "base/log.h"
#include "base/text.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/remove_tree.h"
#include "workspace/run_work.h"
#include "workspace/stale_locks.h"
#include "workspace/worktree.h"

namespace wave::workspace {
namespace {

Result<std::vector<std::string>> ref_names(const GitDir& repository,
                                           std::vector<std::string> arguments) {
  std::vector<std::string> call{"for-each-ref", "--format=%(refname)"};
  call.insert(call.end(), arguments.begin(), arguments.end());
  WAVE_TRY(const std::string output, git_output(call_in(repository, std::move(call))));
  std::vector<std::string> names = split(output, '\n');
  std::erase(names, "");
  return names;
}

Status remove_worktrees(const GitDir& repository, const fs::path& run) {
  for (const Registration& one : registrations(repository)) {
    const fs::path inside = one.path.lexically_relative(run);
    if (inside.empty() || inside == "." || *inside.begin() == "..") continue;
    WAVE_CHECK(remove_worktree(repository, one.path));
  }
  return {};
}

Result<std::set<std::string>> branches_of(const GitDir& repository, const RunFolder& run,
                                          const std::string& run_id) {
  WAVE_TRY(const auto named, ref_names(repository, {fmt::format("refs/heads/wave/{}/", run_id)}));
  std::set<std::string> branches(named.begin(), named.end());
  for (const Ready& ready : run.all_ready()) {
    if (ready.created_branch) branches.insert("refs/heads/" + ready.branch);
  }
  return branches;
}

// Everything the branch has is in some other branch or tag too, or is where somebody stands.
Result<bool> holds_nothing_new(const GitDir& repository, const std::string& branch) {
  WAVE_TRY(const auto others, ref_names(repository, {"--contains", branch, "refs/heads",
                                                     "refs/remotes", "refs/tags"}));
  if (std::ranges::any_of(others, [&](const std::string& other) { return other != branch; })) {
    return true;
  }
  WAVE_TRY(const auto ancestor,
           run_git(call_in(repository, {"merge-base", "--is-ancestor", branch, "HEAD"})));
  const auto head = read_head(repository);
  return ancestor.exit_code == 0 && head && "refs/heads/" + head->branch != branch;
}

// One after the other: of two new branches on one commit the first is "contained" in the second,
// which then stays.
Status remove_branches(const GitDir& repository, const std::set<std::string>& branches) {
  constexpr std::string_view kHeads = "refs/heads/";
  for (const std::string& branch : branches) {
    const auto commit = read_ref(repository, branch);
    if (commit && commit->empty()) continue;
    WAVE_TRY(const bool removable, holds_nothing_new(repository, branch));
    if (!removable) {
      log::info("the branch {} holds commits of its own and stays", branch.substr(kHeads.size()));
      continue;
    }
    GitCall call =
        call_in(repository, {"branch", "--quiet", "-D", "--", branch.substr(kHeads.size())});
    WAVE_TRY(const UniqueFd lock, lock_worktrees(repository));
    call.lock = lock.get();
    WAVE_TRY(const auto result, run_git(call));
    // Checked out by somebody meanwhile: theirs now.
    if (result.exit_code != 0) log::info("{}", git_error(call, result).message);
  }
  return {};
}

Status remove_checkpoints(const GitDir& repository, const std::string& run_id) {
  WAVE_TRY(const auto refs, ref_names(repository, {fmt::format("refs/wave/{}/", run_id)}));
  if (refs.empty()) return {};
  GitCall call = call_in(repository, {"update-ref", "--stdin", "-z"});
  // "delete SP <ref> NUL [<old id>] NUL", git-update-ref(1).
  for (const std::string& ref : refs) call.input += "delete " + ref + std::string(2, '\0');
  WAVE_TRY(const std::string ignored, git_output(call));
  return {};
}

}  // namespace

Status remove_run(const fs::path& project, const fs::path& workspace_root,
                  const std::string& run_id, const std::stop_token& stop) {
  WAVE_TRY(const RunFolder run, RunFolder::locate(project, workspace_root, run_id));
  WAVE_TRY(UniqueFd alone, take_work(run, stop));
  // Branch names are in the ready files: they go last.
  if (auto repository = find_git_dir(project)) {
    repository->stop = stop;
    WAVE_CHECK(remove_stale_locks(*repository, run, false));
    alone.reset();  // what follows starts gits itself
    WAVE_CHECK(remove_worktrees(*repository, run.path()));
    WAVE_TRY(const auto branches, branches_of(*repository, run, run_id));
    WAVE_CHECK(remove_branches(*repository, branches));
    WAVE_CHECK(remove_checkpoints(*repository, run_id));
  }
  return remove_tree(run.path(), stop);
}

}  // namespace wave::workspace
