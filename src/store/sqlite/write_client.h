// Hands writes to the server of the project. Used by the writer's thread of processes that are not
// the server.
#pragma once

#include <deque>
#include <string>

#include "store/sqlite/job.h"
#include "store/sqlite/write_socket.h"

namespace wave::store::sqlite {

class WriteClient {
 public:
  WriteClient(StatePaths paths, int schema_version)
      : paths_(std::move(paths)), schema_version_(schema_version) {}

  /// How many of the jobs, from the front, have an outcome now, and why it is not all of them:
  /// kServerUnreachable (the server came or went: ask again who writes), kTimeout (it does not
  /// answer).
  struct HandedOver {
    size_t answered = 0;
    Status status{};
  };
  HandedOver hand_over(std::deque<Job>& jobs);

 private:
  Status connect();
  Status send_all(const std::deque<Job>& jobs);
  Result<std::string> receive(uint64_t id);
  std::unexpected<Error> lost(int error);

  const StatePaths paths_;
  const int schema_version_;
  UniqueFd connection_;
  std::string received_;
};

}  // namespace wave::store::sqlite
