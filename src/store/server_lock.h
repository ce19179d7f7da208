// One server per project: a lock that the kernel drops when the server dies, and beside it where
// the server can be reached.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "store/store.h"

namespace wave::store {

/// Held for as long as the object lives. Move-only.
class ServerLock {
 public:
  /// kConflict, naming the server that holds it.
  static Result<ServerLock> acquire(const StatePaths& paths);
  /// Writes down where the server listens, for those who look for it.
  Status announce(const std::string& url);

 private:
  explicit ServerLock(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

struct LivingServer {
  int pid = 0;
  std::string url;  // empty while it starts
};

/// The server that lives for this project, if there is one. Thread: any.
std::optional<LivingServer> living_server(const StatePaths& paths);

}  // namespace wave::store
