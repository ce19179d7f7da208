// workspace: the folders steps work in: plain, mounted copies, git worktrees, another step's;
// artifacts in and out; checkpoints; diffs. Every operation can be repeated after a crash and then
// changes nothing. Blocks; call from the pool. What takes long (git, deletions) ends early when
// `stop` asks for it, with kInterrupted: the next call takes up what is left.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "flow/state.h"
#include "model/pipeline.h"

namespace wave::workspace {

struct Request {
  std::filesystem::path project;         // absolute
  std::filesystem::path workspace_root;  // relative to the project: ".agents/workspaces"
  std::string run_id, step;
  model::Workspace::Kind kind = model::Workspace::Kind::kPlain;
  struct MountSpec {
    std::string source, target;  // rendered
    bool readonly = false;
  };
  std::vector<MountSpec> mounts;
  std::string branch, base;          // rendered; branch may be empty: wave/<run>/<step>
  std::string ref_workspace;         // kRef: the other step's workspace, relative to the project
  std::vector<std::string> copy_in;  // agent instruction files to hide from git (AGENTS.md ...)
  std::stop_token stop{};
};

struct Prepared {
  std::filesystem::path root;  // the workspace: where artifacts go (.agents/output ...)
  std::filesystem::path
      cwd;  // where the agent or command starts (a mount's target, the worktree ...)
  bool created = false;
  bool is_worktree = false;
  std::string branch, head;  // worktree: branch and commit
  std::stop_token stop{};    // the request's; ends what is done in the workspace as well
};

/// Makes (or finds again) a step's workspace. Worktrees are shared by the steps of a run that name
/// the same branch.
Result<Prepared> prepare(const Request& request);

/// One artifact to place into a workspace; the bytes come from a blob, never from another
/// workspace.
struct Injection {
  std::string step, name, as;  // `as`: explicit injection, placed at .agents/artifacts/<as>
  std::filesystem::path blob;
  std::string file_name;  // base name of the original path
  bool explicit_injection = false;
};

struct Injected {
  std::string step, name;
  std::string path;  // relative to the workspace root
};

struct InjectionResult {
  std::vector<Injected> placed;
  std::map<std::string, std::string>
      environment;                    // WAVE_DEPS_DIR, WAVE_DEP_<STEP>_<NAME>: absolute paths
  std::vector<std::string> warnings;  // name collisions
};

/// Dependency outputs at .agents/artifacts/<step>/<file> with the alias .agents/output/<file>;
/// explicit ones at .agents/artifacts/<as>.
Result<InjectionResult> inject(const Prepared& workspace, const std::vector<Injection>& artifacts);

/// One declared output, looked for after the step: at its path in cwd, else in root; archived at
/// .agents/artifacts/<step>/<name>.
struct Output {
  std::string name, path, type;
  std::string fallback_text;  // written to the path when the file is missing and this is not empty
};
struct CollectedFile {
  std::string name;
  std::filesystem::path path;  // absolute, within the workspace
  bool missing = false;
};
Result<std::vector<CollectedFile>> collect(const Prepared& workspace, const std::string& step,
                                           const std::vector<Output>& outputs);

/// Removes declared outputs that an earlier step or attempt left, so that they cannot pass for new
/// ones. Files that git tracks in a worktree stay: they are the project's.
Status clear_outputs(const Prepared& workspace, const std::vector<Output>& outputs);

struct Checkpoint {
  std::string ref, commit, tree;
  bool empty = false;  // nothing differs from the parent
  /// Files and repositories that it does not (or not wholly) hold although git does not ignore
  /// them: other repositories, what cannot be read, FIFOs and the like, and, where all of it would
  /// take too long, what is large. Paths from the top of the worktree, as bytes.
  std::vector<std::string> left_out{};
};

/// How long git may take to read what has changed, and what is left out when it takes longer: then
/// it may take as long once more.
struct CheckpointLimits {
  Millis patience{20'000};
  uint64_t large_file = 32 << 20;
};

/// Commits the worktree's whole content (ignored files left out) under `ref` with a temporary
/// index, without conversions, hooks, signing, or touching branch, index or HEAD. Modes, empty
/// folders and what is staged are kept beside it. nothing: not a git workspace.
/// kTimeout when it takes too long without the large files, too.
Result<std::optional<Checkpoint>> checkpoint(const Prepared& workspace, const std::string& ref,
                                             const std::string& message,
                                             const CheckpointLimits& limits = {});
/// Removes the lock files that a killed git left in a worktree: nothing works in it at the moment.
/// Nothing to do where it is none.
Status remove_locks(const Prepared& workspace);
/// Brings a worktree back to a checkpoint: HEAD to the branch and commit it was at then, index,
/// files and modes to what they were; what has not changed is not touched. Untracked files that are
/// not ignored go, but for those that it left out. Commits that the branch loses stay reachable
/// under refs/wave/<run>/restored/<commit>. Not while another step works in the worktree.
Status restore(const Prepared& workspace, const std::string& commit);
/// The tree id of the worktree's content now; nothing when it is no git workspace. It is to be
/// compared: when something had to be left out, it is no tree's and differs from all others.
Result<std::optional<std::string>> tree_id(const Prepared& workspace);

/// The object id that a git name (a ref, `ref^{tree}` ...) stands for in the workspace's
/// repository; nothing when it stands for nothing, or there is no repository.
Result<std::optional<std::string>> resolve(const Prepared& workspace, const std::string& name);
/// All changes of the worktree since a commit or tree, committed or not, as text; cut at
/// `max_bytes`.
Result<std::string> diff_text(const Prepared& workspace, const std::string& since,
                              size_t max_bytes);

struct FileDiff {
  std::string path, status, old_path;  // added, modified, deleted, renamed
  int additions = 0, deletions = 0;
  bool binary = false;
};
/// What differs between two commits or trees.
Result<std::vector<FileDiff>> diff(const std::filesystem::path& repository, const std::string& from,
                                   const std::string& to, const std::stop_token& stop = {});
/// How one of those files differs, as a unified diff.
Result<std::string> file_diff(const std::filesystem::path& repository, const std::string& from,
                              const std::string& to, const FileDiff& file,
                              const std::stop_token& stop = {});

/// Ends what a dead owner left of git in the run's workspaces: a git that still works there is
/// stopped, and the lock files that it left on wave's own refs and worktrees are removed, so that
/// nothing blocks the next use. Before a new owner does anything there, and when the run has ended.
/// `agents_live`: whether programs of the run may be at work in its worktrees; locks there may be
/// theirs and stay. Asked only if a git has worked for the run. kGit when one does not end.
Status take_over(const std::filesystem::path& project, const std::filesystem::path& workspace_root,
                 const std::string& run_id, const std::function<bool()>& agents_live,
                 const std::stop_token& stop = {});

/// Removes a run's workspaces: worktrees properly, branches that wave made and that hold nothing
/// new.
Status remove_run(const std::filesystem::path& project, const std::filesystem::path& workspace_root,
                  const std::string& run_id, const std::stop_token& stop = {});

/// Adds wave's folders to .git/info/exclude, once.
Status exclude_from_git(const std::filesystem::path& project);

/// Facts of the checkout: current branch, HEAD, remote, root; empty strings where there are none.
struct GitFacts {
  bool is_repository = false;
  bool is_bare = false;  // a repository without a checkout; the rest is empty then
  std::filesystem::path root;
  std::string branch, head, remote_url, default_branch;
};
GitFacts git_facts(const std::filesystem::path& folder);

}  // namespace wave::workspace
