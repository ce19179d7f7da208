// An owner in this process: the run of a command line, whose events a server brings to its streams.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "store/owner_lock.h"
#include "store/store.h"

namespace wave::bench {

/// A running run of a project, its lock held. Exits the program when the store refuses something.
class Appender {
 public:
  explicit Appender(const std::filesystem::path& project);

  [[nodiscard]] const std::string& run_id() const { return run_id_; }
  /// Appends `count` events (load/events.h) in one piece, all made now; the number of the last.
  /// Durable when it returns.
  uint64_t append(size_t count = 1);
  /// Of such an event in a stream.
  [[nodiscard]] size_t frame_bytes() const;

 private:
  [[nodiscard]] flow::Event next_event();

  std::unique_ptr<store::Store> store_;
  std::string run_id_;
  std::unique_ptr<store::OwnerLock> lock_;
  int64_t epoch_ = 0;
  uint64_t seq_ = 0, number_ = 0;
};

}  // namespace wave::bench
