// Watches the disk that the server stands on, so that requests and the queue learn in no time
// whether it takes files (promises O2, O3, O11).
#pragma once

#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/disk.h"
#include "store/store.h"

namespace wave::server::disk {

/// The reason of a trouble that a written file met, rather than a look at room and mounts.
inline constexpr char kFoundByProbe[] = "probe";

/// What was seen last. Immutable.
struct DiskHealth {
  /// Why nothing new is started; nothing while all is well.
  std::optional<Error> trouble;
  DiskRoom room;
  Millis probe_took{0};  // writing a small file, syncing and removing it
};

/// Owns a thread that looks at room, inodes and mounts every second and writes a small file beside
/// the database every five. Nobody else waits for the disk: what is asked here is answered from
/// memory, also while a write hangs, which is then the trouble. Thread: any. A write that hangs at
/// the end is left to end by itself; its thread knows nothing that dies before it.
class DiskWatch {
 public:
  /// Has looked once when it returns, without writing.
  explicit DiskWatch(const store::StatePaths& paths);
  ~DiskWatch();
  DiskWatch(const DiskWatch&) = delete;
  DiskWatch& operator=(const DiskWatch&) = delete;

  [[nodiscard]] DiskHealth health() const;
  /// The trouble as an error.
  [[nodiscard]] Status check() const;
  /// Looks whether the folders are there, now: two system calls.
  [[nodiscard]] Status check_present() const;

 private:
  struct Shared;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace wave::server::disk
