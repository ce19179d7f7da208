#include "workspace/stale_locks.h"

#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "workspace/list_folder.h"
#include "workspace/raw_git.h"
#include "workspace/remove_tree.h"
#include "workspace/worktree.h"

namespace wave::workspace {
namespace {

constexpr std::string_view kLockSuffix = ".lock";
constexpr int kMaxRefDepth = 16;  // steps and branches of a run lie one or two folders deep

bool is_lock(const fs::path& file) {
  return file.native().ends_with(kLockSuffix);
}

void remove_file(const fs::path& file) {
  if (::unlink(file.c_str()) == 0)
    log::info("removed {}, left by a git that was killed", file.native());
}

// Locks anywhere below a folder; links are not followed.
void remove_locks_below(const fs::path& folder, int depth = 0) {
  if (depth > kMaxRefDepth) return;
  const auto entries = list_folder(folder);
  if (!entries) return;
  for (const fs::path& entry : *entries) {
    if (look_at_link(entry).value_or(fs::file_type::none) == fs::file_type::directory) {
      remove_locks_below(entry, depth + 1);
    } else if (is_lock(entry)) {
      remove_file(entry);
    }
  }
}

// What checkpoints are made with: no git but ours knows of it.
void remove_raw_gits(const fs::path& admin_dir) {
  const auto entries = list_folder(admin_dir);
  if (!entries) return;
  for (const fs::path& entry : *entries) {
    if (!entry.filename().native().starts_with(kRawGitPrefix)) continue;
    if (remove_tree(entry)) log::info("removed {}, left by a checkpoint", entry.native());
  }
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path inside = path.lexically_relative(folder);
  return !inside.empty() && inside != "." && *inside.begin() != "..";
}

// The names of the run's worktrees, finished or not: each has had a maker's lock.
std::vector<std::string> worktree_names(const RunFolder& run) {
  std::vector<std::string> names;
  const auto entries = list_folder(run.own());
  if (!entries) return names;
  for (const fs::path& entry : *entries) {
    if (is_lock(entry) && is_worktree_name(entry.filename().native())) {
      names.push_back(entry.stem().native());
    }
  }
  return names;
}

// git names a registration after its folder, with a number where that name is taken.
bool is_named_after(std::string_view registration, std::string_view worktree) {
  if (!registration.starts_with(worktree)) return false;
  return std::ranges::all_of(registration.substr(worktree.size()),
                             [](char c) { return c >= '0' && c <= '9'; });
}

// A git that was killed between making the administrative folder and saying whose it is. git itself
// takes such a folder for somebody's who is just beginning, and never removes it.
Status remove_unfinished(const GitDir& repository, const RunFolder& run) {
  const std::vector<std::string> names = worktree_names(run);
  if (names.empty()) return {};
  WAVE_TRY(const UniqueFd lock, lock_worktrees(repository));
  const auto entries = list_folder(repository.common_dir / "worktrees");
  if (!entries) return {};
  for (const fs::path& entry : *entries) {
    const auto owner = read_range(entry / "gitdir", 0, 1);
    // What cannot be read may be somebody's.
    if (owner ? !owner->empty() : owner.error().code != Code::kNotFound) continue;
    const std::string name = entry.filename();
    const bool ours = std::ranges::any_of(
        names, [&](const std::string& worktree) { return is_named_after(name, worktree); });
    if (ours) WAVE_CHECK(remove_tree(entry));
  }
  return {};
}

}  // namespace

void remove_worktree_locks(const GitDir& worktree) {
  remove_raw_gits(worktree.git_dir);
  remove_locks_below(worktree.git_dir);
  const auto head = read_head(worktree);
  if (!head || !head->branch.starts_with("wave/")) return;
  remove_file(worktree.common_dir / "refs/heads" / (head->branch + std::string(kLockSuffix)));
}

Status remove_stale_locks(const GitDir& repository, const RunFolder& run, bool agents_live) {
  const fs::path& common = repository.common_dir;
  const std::string id = run.path().filename();
  remove_locks_below(common / "refs/wave" / id);
  for (const Registration& one : registrations(repository)) {
    if (!lies_in(one.path, run.path())) continue;
    remove_raw_gits(one.admin_dir);
    if (!agents_live) remove_locks_below(one.admin_dir);
  }
  if (!agents_live) {
    remove_locks_below(common / "refs/heads/wave" / id);
    for (const Ready& ready : run.all_ready()) {
      if (!ready.created_branch || ready.branch.empty()) continue;
      remove_file(common / "refs/heads" / (ready.branch + std::string(kLockSuffix)));
    }
  }
  return remove_unfinished(repository, run);
}

}  // namespace wave::workspace
