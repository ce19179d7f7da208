// Reading a repository's own files, where that is simple, instead of starting git: HEAD, refs, the
// list of worktrees. Odd layouts (reftable, includes) answer "unknown", and the caller asks git.
// gitrepository-layout(5).
#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"

namespace wave::workspace {

/// Where the parts of a repository are, as seen from one of its checkouts.
struct GitDir {
  std::filesystem::path work_tree;  // the folder that holds `.git`; real path
  std::filesystem::path git_dir;    // its own: <common>/worktrees/<id> for a linked worktree
  std::filesystem::path common_dir;
  std::stop_token stop{};  // ends the git that works here
};

/// The repository whose checkout has its top exactly at `folder`.
std::optional<GitDir> git_dir_at(const std::filesystem::path& folder);
/// The repository that `folder` lies in: the first `.git` from it upwards.
std::optional<GitDir> find_git_dir(const std::filesystem::path& folder);

/// The bare repository that `folder` is, or lies in; empty: none. It has no checkout, so there is
/// no GitDir for it.
std::filesystem::path find_bare_repository(const std::filesystem::path& folder);

struct Head {
  std::string branch;  // empty when detached
  std::string commit;  // empty before the first commit
};
/// nothing: cannot be told without git.
std::optional<Head> read_head(const GitDir& repository);
/// The object a full ref name stands for: "" when there is no such ref, nothing when only git
/// knows.
std::optional<std::string> read_ref(const GitDir& repository, const std::string& ref);

/// A registered linked worktree.
struct Registration {
  std::filesystem::path admin_dir;  // <common>/worktrees/<id>
  std::filesystem::path path;       // where it is checked out, or was
  bool locked = false;
};
std::vector<Registration> registrations(const GitDir& repository);

/// Whether `text` looks like an object id (SHA-1 or SHA-256), in full.
bool is_object_id(std::string_view text);

}  // namespace wave::workspace
