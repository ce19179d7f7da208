// For tests and the simulation only: an SQLite VFS whose disk is memory. It can forget what was not
// synced, as a power cut makes a disk do, and fail writes and syncs.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace wave::store::sqlite::testing {

enum class DiskOperation { kWrite, kSync };  // kWrite: truncating as well

/// An operation that goes wrong.
struct DiskFault {
  DiskOperation operation = DiskOperation::kWrite;
  int code = SQLITE_FULL;     // or an SQLITE_IOERR_...
  int64_t after = 0;          // so many operations of its sort succeed before
  bool takes_effect = false;  // it is done all the same, and only reported as failed
  bool lasts = false;         // so do all later ones, until clear_faults
};

/// A disk, registered with SQLite under its name for as long as it lives; every connection has to
/// be closed before. Give the name as OpenOptions::vfs. Thread: any.
class MemoryDisk {
 public:
  explicit MemoryDisk(std::string name);
  MemoryDisk(const MemoryDisk&) = delete;
  MemoryDisk& operator=(const MemoryDisk&) = delete;
  ~MemoryDisk();

  [[nodiscard]] const std::string& name() const;

  /// What was not synced is gone, the shared memory and all locks as well; whoever has a file open
  /// gets I/O errors from now on, so that a store that is then closed changes nothing. With
  /// `random`, which gives random bits, any part of the unsynced writes reaches the disk, in any
  /// order, and writes tear at sectors of 512 bytes.
  void lose_power(const std::function<uint64_t()>& random = {});
  /// The processes are gone and the machine runs on: nothing written is lost.
  void kill_processes();

  void inject(DiskFault fault);
  void clear_faults();

  /// How many writes, syncs and reads there have been.
  [[nodiscard]] int64_t writes() const;
  [[nodiscard]] int64_t syncs() const;
  [[nodiscard]] int64_t reads() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace wave::store::sqlite::testing
