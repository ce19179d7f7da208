#include "engine/project_shelf.h"

#include "engine/project_loading.h"
#include "workspace/workspace.h"

namespace wave::engine {
namespace {

constexpr size_t kMostProjects = 16;
constexpr Millis kGitInterval{1'000};

}  // namespace

json::object ProjectShelf::git_words() {
  const std::scoped_lock lock(git_mutex_);
  const MonoTime now = clock_.mono();
  if (!git_asked_ || now - *git_asked_ >= kGitInterval) {
    const workspace::GitFacts git = workspace::git_facts(paths_.project);
    git_words_ = {{"branch", git.branch}, {"head", git.head}, {"remote", git.remote_url}};
    git_asked_ = now;
  }
  return git_words_;
}

std::optional<StoredProgram> ProjectShelf::find(const RunRequest& request) {
  const json::object facts = git_words();
  FileMarks marks;
  StoredProgram stored;
  {
    const std::scoped_lock lock(mutex_);
    const auto entry = std::ranges::find_if(entries_, [&](const Entry& kept) {
      return kept.pipeline == request.pipeline && kept.manifest_path == request.manifest_path;
    });
    if (entry == entries_.end() || entry->facts != facts) return std::nullopt;
    entries_.splice(entries_.begin(), entries_, entry);
    marks = entry->marks;
    stored = entry->stored;
  }
  if (!are_unchanged(marks)) return std::nullopt;
  return stored;
}

void ProjectShelf::keep(Entry entry) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(entries_, [&](const Entry& kept) {
    return kept.pipeline == entry.pipeline && kept.manifest_path == entry.manifest_path;
  });
  entries_.push_front(std::move(entry));
  if (entries_.size() > kMostProjects) entries_.pop_back();
}

Result<StoredProgram> ProjectShelf::get(const RunRequest& request) {
  const bool keeps = request.extra_files.empty();
  if (keeps) {
    if (auto found = find(request)) return *std::move(found);
  }
  const auto began = std::chrono::system_clock::now();
  const json::object facts = keeps ? git_words() : json::object();
  const model::DiskSource disk(paths_.project);
  const WatchedSource watched(disk, paths_.project);
  auto loaded = std::make_shared<LoadedProgram>();
  WAVE_TRY(*loaded, load_from_source(watched, paths_, request.manifest_path, request.pipeline,
                                     request.extra_files));
  StoredProgram stored{.loaded = std::move(loaded), .snapshot = {}};
  WAVE_TRY(stored.snapshot, store::save_snapshot(store_, stored.loaded->snapshot));
  FileMarks marks = watched.marks();
  if (keeps && are_settled(marks, began)) {
    keep({.pipeline = request.pipeline,
          .manifest_path = request.manifest_path,
          .stored = stored,
          .marks = std::move(marks),
          .facts = facts});
  }
  return stored;
}

void ProjectShelf::drop(const std::string& snapshot) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(entries_, [&](const Entry& kept) { return kept.stored.snapshot == snapshot; });
}

}  // namespace wave::engine
