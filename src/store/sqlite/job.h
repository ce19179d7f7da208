// Something to be written, on its way through the writer.
#pragma once

#include <functional>
#include <memory>

#include "store/sqlite/write_request.h"

namespace wave::store::sqlite {

/// `work` runs on the writer's thread within a savepoint, and again when its batch is tried again;
/// `done` runs there once the transaction is on disk or has failed.
struct Job {
  using Work = std::move_only_function<Status(Batch&)>;
  using Done = std::move_only_function<void(Status)>;

  Work work;
  Done done;
  size_t bytes = 0;         // what it holds in memory while it waits
  bool reads_rows = false;  // the projections of earlier appends have to be written before
  /// The same as a value, for the server where one runs; null: only a server writes this.
  std::shared_ptr<const WriteRequest> request{};
  std::move_only_function<void(WriteAnswer)> answered{};  // instead of `work`, by another process
  bool asked_before = false;  // of a server that went away: it may have been stored
  Status outcome{};           // of its own work
  MonoTime since{};           // when it was submitted
};

}  // namespace wave::store::sqlite
