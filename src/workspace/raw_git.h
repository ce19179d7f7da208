// git as checkpoints need it: it sees a worktree as it is. A repository folder of wave's own,
// beside the real one, shares the object store with it; its attributes switch every conversion off,
// and its index is a copy that git may change. Gone with this object.
#pragma once

#include "workspace/git.h"

namespace wave::workspace {

inline constexpr std::string_view kRawGitPrefix = "wave-index-";

/// Guards: nothing of the user's repository changes but that objects are added.
class RawGit {
 public:
  static Result<RawGit> beside(const GitDir& repository);
  RawGit(RawGit&& other) noexcept
      : repository_(std::move(other.repository_)),
        folder_(std::exchange(other.folder_, {})),
        id_size_(other.id_size_) {}
  RawGit& operator=(RawGit&&) = delete;
  ~RawGit();

  [[nodiscard]] const GitDir& repository() const { return repository_; }
  /// A call that takes bytes as they are; works on the copy of the index.
  [[nodiscard]] GitCall call(std::vector<std::string> arguments) const;
  /// A call that converts as the user's settings and attributes say; on the same index.
  [[nodiscard]] GitCall converting_call(std::vector<std::string> arguments) const;
  /// Of an object's id in bytes: SHA-1 or SHA-256.
  [[nodiscard]] size_t id_size() const { return id_size_; }
  [[nodiscard]] std::filesystem::path index() const { return folder_ / "index"; }
  /// After a git that was killed while it wrote.
  void unlock() const;

 private:
  RawGit(GitDir repository, std::filesystem::path folder);
  Status fill() const;

  GitDir repository_;
  std::filesystem::path folder_;
  size_t id_size_;
};

}  // namespace wave::workspace
