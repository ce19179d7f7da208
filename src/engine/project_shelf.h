// Programs of the project as it lies on disk, with their stored snapshots: a server that starts the
// same pipeline again and again reads and stores its files once, as long as nobody touches them.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "engine/engine.h"
#include "engine/loaded_program.h"
#include "engine/watched_files.h"

namespace wave::engine {

struct StoredProgram {
  std::shared_ptr<const LoadedProgram> loaded;
  std::string snapshot;  // the hash it is stored under
};

/// Every file that was read, every one that was looked for, and every folder that was listed is
/// looked at (stat) before a program is given out again. What git says of the project (branch and
/// HEAD, for templates) may be a second old. Thread: any.
class ProjectShelf {
 public:
  ProjectShelf(store::StatePaths paths, store::Store& store, const Clock& clock)
      : paths_(std::move(paths)), store_(store), clock_(clock) {}

  /// Loads, checks and stores what is not there yet. Requests with files of their own are not kept.
  Result<StoredProgram> get(const RunRequest& request);
  /// A stored snapshot turned out to be gone: the next get stores it again.
  void drop(const std::string& snapshot);

 private:
  struct Entry {
    std::string pipeline, manifest_path;
    StoredProgram stored;
    FileMarks marks;
    json::object facts;  // what git said
  };
  std::optional<StoredProgram> find(const RunRequest& request);
  void keep(Entry entry);
  json::object git_words();

  const store::StatePaths paths_;
  store::Store& store_;
  const Clock& clock_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
  std::mutex git_mutex_;
  std::optional<MonoTime> git_asked_;
  json::object git_words_;
};

}  // namespace wave::engine
