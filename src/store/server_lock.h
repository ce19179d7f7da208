// One server per project: a lock that the kernel drops when the server dies, and beside it where
// the server can be reached.
//
// The same file says who may write to the database. Invariant: where a server lives, no other
// process holds the database's write lock, so none that is suspended can stop the server. Two bytes
// of the file are locked. A server holds both exclusively. Others share the first for as long as a
// transaction takes, after a look at the second, which a server takes first: nobody new begins
// while it waits for those who write. Open-file-description locks: the kernel drops them with their
// holder.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "store/store.h"

namespace wave::store {

/// Held for as long as the object lives. Move-only.
class ServerLock {
 public:
  /// kConflict, naming the server that holds it. Waits for transactions of other processes;
  /// kStoreBusy when one does not end.
  static Result<ServerLock> acquire(const StatePaths& paths);
  /// Writes down where the server listens, for those who look for it.
  Status announce(const std::string& url);

 private:
  explicit ServerLock(UniqueFd file) : file_(std::move(file)) {}
  UniqueFd file_;
};

/// The right to write to the database of a process that is not the server. One per writer; Thread:
/// one.
class WriteTurn {
 public:
  explicit WriteTurn(const StatePaths& paths) : paths_(paths) {}
  /// False: a server lives, which writes for everybody. Otherwise the turn lasts until it is given
  /// back.
  Result<bool> take();
  void give_back();

 private:
  const StatePaths paths_;
  UniqueFd file_;
};

struct LivingServer {
  int pid = 0;
  std::string url;  // empty while it starts
};

/// The server that lives for this project, if there is one. Thread: any.
std::optional<LivingServer> living_server(const StatePaths& paths);

}  // namespace wave::store
