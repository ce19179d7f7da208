// What lies in a worktree and is not, or not wholly, in a tree of it: names that git would not add,
// empty folders, modes. Computed from the folders themselves, never from git's messages.
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "workspace/kept.h"
#include "workspace/raw_git.h"

namespace wave::workspace {

inline constexpr size_t kMaxListing = size_t{1} << 30;  // bytes that git prints
// Modes as git has them.
inline constexpr uint32_t kProgram = 0100755;
inline constexpr uint32_t kGitlink = 0160000;  // another repository's commit

/// A path of the index, and how it lies in the worktree.
struct Listed {
  uint32_t git_mode = 0;
  std::string id;     // bytes, not digits
  int64_t size = -1;  // of a regular file; -1: it is none, or not there
  unsigned mode = 0;  // its rwx bits
};

inline unsigned usual_mode(const UsualModes& usual, const Listed& file) {
  return file.git_mode == kProgram ? usual.program : usual.file;
}

struct Survey {
  std::unordered_map<std::string, Listed> files;
  std::unordered_map<std::string, unsigned> folders;  // modes of those that are not ignored
  Kept kept;
  /// Something with content that only its owner knows was left out: two such trees may be equal
  /// although the worktrees differ.
  bool incomplete = false;
};

/// Goes through the worktree with what is in `git`'s index. Not entered: ignored folders, other
/// repositories. `hidden`: wave's own files, which are skipped.
Result<Survey> survey(const RawGit& git, const std::vector<std::string>& hidden);

/// Adds to `found.kept` how files are converted by git (line ends ...): blobs with their bytes are
/// written where those are few.
Status survey_conversions(const RawGit& git, Survey& found);

}  // namespace wave::workspace
