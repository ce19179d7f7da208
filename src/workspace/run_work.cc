#include "workspace/run_work.h"

#include <fcntl.h>

#include <csignal>

#include "base/file_lock.h"
#include "base/log.h"
#include "base/text.h"
#include "process/proc.h"
#include "workspace/kinds.h"
#include "workspace/stale_locks.h"
#include "workspace/worktree.h"

namespace wave::workspace {
namespace {

constexpr Millis kShareTimeout{120'000};  // while another process takes the run over
constexpr Millis kTermPatience{2'000};    // git removes its lock files at SIGTERM
constexpr Millis kKillPatience{30'000};   // a git in the middle of a write to a slow disk

fs::path work_lock(const RunFolder& run) {
  return run.own() / "git.lock";
}

// Waits until no git works for the run; asks it to end first. Without /proc it cannot be asked, and
// is only waited for.
Status end_git(const UniqueFd& file, const RunFolder& run, const std::stop_token& stop) {
  const fs::path path = work_lock(run);
  if (lock_exclusively(file, Millis(0), path)) return {};
  const std::string id = run.path().filename();
  const std::string mark = fmt::format("{}={}", kGitMark, id);
  log::info("run {}: a git of an earlier owner still works; it is ended", id);
  process::signal_all_with(mark, SIGTERM);
  if (lock_exclusively(file, kTermPatience, path, stop)) return {};
  process::signal_all_with(mark, SIGKILL);
  const auto locked = lock_exclusively(file, kKillPatience, path, stop);
  if (locked || locked.error().code != Code::kTimeout) return locked;
  return fail(Code::kGit, fmt::format("a git of an earlier owner of run {} does not end", id),
              fmt::format("look for a git in {} that hangs", run.path().native()));
}

}  // namespace

Result<UniqueFd> share_work(const fs::path& run_folder, const std::stop_token& stop) {
  const RunFolder run = RunFolder::at(run_folder);
  WAVE_CHECK(make_directories(run.own()));
  WAVE_TRY(UniqueFd file, open_file(work_lock(run), O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  WAVE_CHECK(lock_shared(file, kShareTimeout, work_lock(run), stop));
  return file;
}

Result<UniqueFd> take_work(const RunFolder& run, const std::stop_token& stop) {
  auto file = open_file(work_lock(run), O_RDWR | O_NOFOLLOW);
  if (!file && file.error().code == Code::kNotFound) return UniqueFd();
  if (file) WAVE_CHECK(end_git(*file, run, stop));
  return file;
}

Status remove_locks(const Prepared& workspace) {
  WAVE_TRY(const auto repository, repository_of(workspace));
  if (repository && is_worktree_name(repository->work_tree.filename().native())) {
    remove_worktree_locks(*repository);
  }
  return {};
}

Status take_over(const fs::path& project, const fs::path& workspace_root, const std::string& run_id,
                 const std::function<bool()>& agents_live, const std::stop_token& stop) {
  WAVE_TRY(const RunFolder run, RunFolder::locate(project, workspace_root, run_id));
  WAVE_TRY(const UniqueFd alone, take_work(run, stop));
  if (!alone.valid()) return {};
  const auto repository = find_git_dir(project);
  return repository ? remove_stale_locks(*repository, run, agents_live()) : Status();
}

}  // namespace wave::workspace
