#include "engine/program_shelf.h"

#include <algorithm>

#include "engine/project_loading.h"

namespace wave::engine {
namespace {

constexpr size_t kMostPrograms = 8;

}  // namespace

Result<std::shared_ptr<const LoadedProgram>> ProgramShelf::load(const std::string& snapshot) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = std::ranges::find(entries_, snapshot, &Entry::snapshot);
    if (found != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, found);
      return found->loaded;
    }
  }
  auto loaded = std::make_shared<LoadedProgram>();
  WAVE_TRY(loaded->snapshot, store::load_snapshot(store_, snapshot));
  WAVE_TRY(loaded->program, load_from_snapshot(loaded->snapshot));
  if (max_steps_ > 0) loaded->program.project.manifest.runtime.max_concurrency = max_steps_;
  keep(snapshot, loaded);
  return loaded;
}

void ProgramShelf::keep(const std::string& snapshot, std::shared_ptr<const LoadedProgram> loaded) {
  const std::scoped_lock lock(mutex_);
  if (std::ranges::find(entries_, snapshot, &Entry::snapshot) != entries_.end()) return;
  entries_.push_front({snapshot, std::move(loaded)});
  if (entries_.size() > kMostPrograms) entries_.pop_back();
}

}  // namespace wave::engine
