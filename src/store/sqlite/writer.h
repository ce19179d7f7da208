// The one thread that writes. What arrives together shares a transaction and a sync; the first to
// arrive at an idle writer waits for nobody.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "store/sqlite/batch.h"
#include "store/sqlite/database.h"

namespace wave::store::sqlite {

/// Something to be written. `work` runs on the writer's thread within a savepoint; `done` runs
/// there once the transaction is on disk or has failed.
struct Job {
  using Work = std::move_only_function<Status(Batch&)>;
  using Done = std::move_only_function<void(Status)>;

  Work work;
  Done done;
  size_t bytes = 0;         // what it holds in memory while it waits
  bool reads_rows = false;  // the projections of earlier appends have to be written before
  Status outcome{};         // of its own work
};

/// Owned by the store. Thread: submit and submit_and_wait from any but the writer's own.
class Writer {
 public:
  /// Called on the writer's thread after each commit that changed something, after the jobs'
  /// `done`.
  using Committed = std::function<void(const Batch&)>;

  Writer(std::unique_ptr<Database> database, int schema_version, Committed committed);
  ~Writer();

  /// Writes what was submitted, then ends the thread; the connection stays open until destruction.
  /// On a slow disk it ends with the transaction that is under way: what was not begun is refused,
  /// and what the WAL holds stays there for the next opening.
  void stop();

  /// `done` gets kLimit when more than 256 MiB wait already, and kStore after stop; it is then
  /// called on this thread.
  void submit(Job job);
  /// The same, waiting. kInternal on the writer's own thread, which would wait for itself.
  Status submit_and_wait(Job::Work work, size_t bytes = 0, bool reads_rows = true);

 private:
  void run();
  bool take_arrived();
  void write_batch();
  Status write_jobs(Batch& batch, size_t& written);
  Status run_job(Batch& batch, Job& job);
  void finish(size_t count, const Status& commit);
  void checkpoint();
  void refuse_rest();
  [[nodiscard]] int uncheckpointed_frames() const;
  static int wal_grew(void* self, sqlite3* handle, const char* name, int frames);

  const std::unique_ptr<Database> database_;
  const int schema_version_;
  const Committed committed_;

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> queue_;    // guarded by mutex_
  size_t queued_bytes_ = 0;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_

  std::deque<Job> taken_;     // of the writer's thread, like all below
  int wal_frames_ = 0;        // in the WAL after the last commit
  int wal_checkpointed_ = 0;  // of them, how many a checkpoint has copied
  bool slow_ = false;         // the disk took long for the last commit
  std::thread thread_;
};

}  // namespace wave::store::sqlite
