// What a run was started with: every file that decisions, prompts and contracts read, by hash
// (promise Q7).
#pragma once

#include <map>
#include <string>

#include "store/store.h"

namespace wave::store {

struct Snapshot {
  std::string manifest_path;                 // "wave.yaml"
  std::string pipeline;                      // name or path, as it was asked for
  std::map<std::string, std::string> files;  // path -> content
  json::object facts;                        // what was found out at start: forge, branch, versions
};

/// Stores every file as a blob, then the list of them; returns the list's hash.
Result<std::string> save_snapshot(Store& store, const Snapshot& snapshot);
Result<Snapshot> load_snapshot(Store& store, const std::string& sha256);

}  // namespace wave::store
