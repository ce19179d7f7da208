// A worktree's content at this moment, as a tree.
#pragma once

#include "workspace/survey.h"
#include "workspace/workspace.h"

namespace wave::workspace {

/// Guards: the worktree, its index and HEAD stay as they are.
class Snapshot {
 public:
  /// kTimeout when it takes too long without the large files, too. `without`: paths that it leaves
  /// out, with everything below them.
  static Result<Snapshot> take(const GitDir& repository, const CheckpointLimits& limits,
                               const std::set<std::string>& without = {});

  [[nodiscard]] const std::string& tree() const { return tree_; }
  /// What is staged; empty where git cannot say it as a tree: in the middle of a merge.
  [[nodiscard]] const std::string& staged() const { return staged_; }
  /// Its index holds what `tree` holds.
  [[nodiscard]] const RawGit& git() const { return git_; }
  /// What the tree does not contain, including files that were left out because of their size.
  [[nodiscard]] Result<Survey> look_around() const;

 private:
  explicit Snapshot(RawGit git) : git_(std::move(git)) {}
  Status stage(const CheckpointLimits& limits);
  [[nodiscard]] Result<std::string> write_tree() const;
  Status add_or_tidy(Millis patience);
  Status add(Millis patience);
  Status leave_out_large(uint64_t large);

  RawGit git_;
  std::string tree_, staged_;
  std::set<std::string> without_;
};

/// Instruction files that wave has put into a worktree, and no checkpoint holds.
std::vector<std::string> hidden_files(const GitDir& repository);

}  // namespace wave::workspace
