#include "workspace/snapshot.h"

#include <sys/stat.h>

#include "base/system_fault.h"
#include "base/text.h"
#include "workspace/abandoned_objects.h"
#include "workspace/index_file.h"
#include "workspace/run_folder.h"

namespace wave::workspace {
namespace {

constexpr Millis kListPatience{10'000};

constexpr size_t kMaxWithout = 1000;  // each of them is compared with every path

std::string excluded(const std::string& file) {
  return ":(exclude,top,literal)" + file + '\0';
}

}  // namespace

std::vector<std::string> hidden_files(const GitDir& repository) {
  const fs::path& top = repository.work_tree;
  const auto ready = RunFolder::around(top).ready(top.filename());
  return ready ? ready->hidden : std::vector<std::string>{};
}

Result<Snapshot> Snapshot::take(const GitDir& repository, const CheckpointLimits& limits,
                                const std::set<std::string>& without) {
  WAVE_TRY(RawGit git, RawGit::beside(repository));
  Snapshot snapshot(std::move(git));
  if (without.size() <= kMaxWithout) snapshot.without_ = without;
  auto staged = snapshot.write_tree();
  if (!staged && staged.error().code != Code::kGit) return fail(staged.error());
  snapshot.staged_ = std::move(staged).value_or("");
  WAVE_CHECK(snapshot.stage(limits));
  WAVE_TRY(snapshot.tree_, snapshot.write_tree());
  return snapshot;
}

// Most often the index knows its tree, and git need not be asked.
Result<std::string> Snapshot::write_tree() const {
  WAVE_TRY(const auto index, read_index(git_.index(), git_.id_size(), [](const IndexEntry&) {}));
  if (index && !index->tree.empty()) return index->tree;
  WAVE_TRY(const std::string tree, git_output(git_.call({"write-tree"})));
  return std::string(trim(tree));
}

Status Snapshot::stage(const CheckpointLimits& limits) {
  Status added = add_or_tidy(limits.patience);
  if (added || added.error().code != Code::kTimeout) return added;
  WAVE_CHECK(leave_out_large(limits.large_file));
  return add_or_tidy(limits.patience);
}

// add; of a git that was broken off nothing stays.
Status Snapshot::add_or_tidy(Millis patience) {
  // The file system's clock may be a tick behind.
  const auto since = fs::file_time_type::clock::now() - std::chrono::seconds(1);
  Status added = add(patience);
  const bool cut =
      !added && (added.error().code == Code::kTimeout || added.error().code == Code::kInterrupted);
  if (cut) remove_abandoned_objects(git_.repository(), since);
  return added;
}

// Everything but ignored files and wave's own instruction files. What cannot be added (it cannot be
// read, is a repository without a commit ...) is left out: the look around finds it.
Status Snapshot::add(Millis patience) {
  GitCall add = git_.call({"add", "--all", "--sparse", "--ignore-errors", "--pathspec-from-file=-",
                           "--pathspec-file-nul"});
  add.input.append(".").push_back('\0');
  for (const std::string& file : hidden_files(git_.repository())) add.input += excluded(file);
  for (const std::string& file : without_) add.input += excluded(file);
  add.timeout = patience;
  WAVE_TRY(const auto result, run_git(add));
  if (result.exit_code == 0) return {};
  const Error error = git_error(add, result);
  // 1: some files were left out; 128 and the like: nothing was done.
  if (result.exit_code != 1 || is_shortage(error)) return fail(error);
  return {};
}

Status Snapshot::leave_out_large(uint64_t large) {
  git_.unlock();
  const size_t before = without_.size();
  GitCall list = git_.call({"ls-files", "-z", "--others", "--modified", "--exclude-standard"});
  list.timeout = kListPatience;
  WAVE_TRY(const std::string output, git_output(list));
  for (const std::string& file : split(output, '\0')) {
    struct stat info{};
    const fs::path path = git_.repository().work_tree / file;
    if (file.empty() || ::lstat(path.c_str(), &info) != 0) continue;
    const bool is_large = S_ISREG(info.st_mode) && static_cast<uint64_t>(info.st_size) >= large;
    if (is_large && without_.size() < kMaxWithout) without_.insert(file);
  }
  if (without_.size() > before) return {};
  return fail(Code::kTimeout, "so much has changed that git did not read it in time");
}

Result<Survey> Snapshot::look_around() const {
  WAVE_TRY(Survey found, survey(git_, hidden_files(git_.repository())));
  std::error_code error;
  for (const std::string& path : without_) {
    const bool is_there = fs::exists(fs::symlink_status(git_.repository().work_tree / path, error));
    if (!is_there) continue;
    found.kept.left_out.insert(path);
    found.incomplete = true;
  }
  WAVE_CHECK(survey_conversions(git_, found));
  return found;
}

}  // namespace wave::workspace
