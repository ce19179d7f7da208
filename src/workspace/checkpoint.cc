// Checkpoints: a worktree's content as a commit that no branch knows of.
#include "base/text.h"
#include "workspace/git.h"
#include "workspace/kinds.h"
#include "workspace/notes.h"
#include "workspace/snapshot.h"

namespace wave::workspace {
namespace {

/// HEAD's commit and tree; both empty before the first commit of a branch.
struct Parent {
  std::string commit, tree;
};

// What an event is going to name must outlive a power failure.
GitCall durable_call(const GitDir& repository, std::vector<std::string> arguments) {
  GitCall call = call_in(repository, std::move(arguments));
  call.durable = true;
  return call;
}

Result<Parent> parent_of(const GitDir& repository) {
  const GitCall call =
      durable_call(repository, {"rev-parse", "--quiet", "HEAD^{commit}", "HEAD^{tree}"});
  WAVE_TRY(const auto result, run_git(call));
  const std::vector<std::string> lines = split(trim(result.out), '\n');
  if (result.exit_code != 0 || lines.size() != 2 || !is_object_id(lines[0])) return Parent{};
  return Parent{lines[0], lines[1]};
}

Result<std::string> commit_tree(const GitDir& repository, const std::string& tree,
                                const std::vector<std::string>& parents,
                                const std::string& message) {
  std::vector<std::string> arguments{"commit-tree", tree};
  for (const std::string& parent : parents) {
    if (!parent.empty()) arguments.insert(arguments.end(), {"-p", parent});
  }
  GitCall call = durable_call(repository, std::move(arguments));
  for (const char* who : {"AUTHOR", "COMMITTER"}) {
    call.environment[fmt::format("GIT_{}_NAME", who)] = "wave";
    call.environment[fmt::format("GIT_{}_EMAIL", who)] = "wave@localhost";
  }
  call.input = message;
  WAVE_TRY(const std::string commit, git_output(call));
  return std::string(trim(commit));
}

Result<std::string> write_tree(const GitDir& repository, const std::string& entries) {
  GitCall call = durable_call(repository, {"mktree", "-z"});
  call.input = entries;
  WAVE_TRY(const std::string id, git_output(call));
  return std::string(trim(id));
}

Result<std::string> write_blob(const GitDir& repository, std::string text) {
  GitCall call = durable_call(repository, {"hash-object", "-w", "--stdin"});
  call.input = std::move(text);
  WAVE_TRY(const std::string id, git_output(call));
  return std::string(trim(id));
}

std::string tree_entry(std::string_view mode, std::string_view type, std::string_view id,
                       std::string_view name) {
  return fmt::format("{} {} {}\t{}{}", mode, type, id, name, '\0');
}

// What the notes refer to, in a commit of its own: so it stays as long as the checkpoint does.
Result<std::string> commit_kept(const GitDir& repository, const Kept& kept, const Notes& notes) {
  std::string entries;
  if (!notes.state.empty()) entries += tree_entry("100644", "blob", notes.state, "state");
  if (!notes.staged.empty()) entries += tree_entry("040000", "tree", notes.staged, "staged");
  if (!kept.exact.empty()) {
    std::set<std::string> ids;
    for (const auto& [path, id] : kept.exact) ids.insert(id);
    std::string blobs;
    for (const std::string& id : ids) blobs += tree_entry("100644", "blob", id, id);
    WAVE_TRY(const std::string tree, write_tree(repository, blobs));
    entries += tree_entry("040000", "tree", tree, "exact");
  }
  if (entries.empty()) return std::string();
  WAVE_TRY(const std::string tree, write_tree(repository, entries));
  return commit_tree(repository, tree, {}, "wave: kept beside a checkpoint\n");
}

Result<Notes> keep_notes(const GitDir& repository, const Snapshot& snapshot, const Parent& parent,
                         const Kept& kept) {
  Notes notes;
  notes.usual = kept.usual;
  const auto head = read_head(repository);
  if (head) notes.branch = head->branch;
  if (snapshot.staged() != parent.tree) notes.staged = snapshot.staged();
  if (!kept.says_nothing()) {
    WAVE_TRY(notes.state, write_blob(repository, encode(kept)));
  }
  WAVE_TRY(notes.kept, commit_kept(repository, kept, notes));
  return notes;
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
  WAVE_TRY(const Survey around, snapshot.look_around());
  WAVE_TRY(const Parent parent, parent_of(*repository));
  WAVE_TRY(const Notes notes, keep_notes(*repository, snapshot, parent, around.kept));
  WAVE_TRY(const std::string commit,
           commit_tree(*repository, snapshot.tree(), {parent.commit, notes.kept},
                       with_notes(message, notes)));
  WAVE_TRY(const std::string ignored,
           git_output(durable_call(*repository, {"update-ref", ref, commit})));
  const std::set<std::string>& left_out = around.kept.left_out;
  return Checkpoint{ref,
                    commit,
                    snapshot.tree(),
                    snapshot.tree() == parent.tree,
                    {left_out.begin(), left_out.end()}};
}

Result<std::optional<std::string>> tree_id(const Prepared& workspace) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (!repository) return std::nullopt;
  WAVE_TRY(const Snapshot snapshot, Snapshot::take(*repository, {}));
  WAVE_TRY(const Survey around, snapshot.look_around());
  return around.incomplete ? snapshot.tree() + "-incomplete" : snapshot.tree();
}

Result<std::string> tree_to_compare(const GitDir& repository) {
  WAVE_TRY(const Snapshot snapshot, Snapshot::take(repository, {}));
  return snapshot.tree();
}

}  // namespace wave::workspace
