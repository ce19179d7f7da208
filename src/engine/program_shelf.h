// Programs of runs that were stored, by the hash of their snapshot: most runs share a few, and a
// server that takes up a thousand of them reads each program once.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "engine/loaded_program.h"

namespace wave::engine {

/// Keeps the last few. Thread: any.
class ProgramShelf {
 public:
  /// `max_steps`: of one run at a time, in place of runtime.max_concurrency; 0: as it says.
  ProgramShelf(store::Store& store, int max_steps) : store_(store), max_steps_(max_steps) {}

  /// What a snapshot holds. kNotFound when it has been pruned.
  Result<std::shared_ptr<const LoadedProgram>> load(const std::string& snapshot);
  /// What was just stored under that hash.
  void keep(const std::string& snapshot, std::shared_ptr<const LoadedProgram> loaded);

 private:
  struct Entry {
    std::string snapshot;
    std::shared_ptr<const LoadedProgram> loaded;
  };

  store::Store& store_;
  const int max_steps_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // the last used first
};

}  // namespace wave::engine
