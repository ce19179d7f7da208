// The one thread that writes. What arrives together shares a transaction and a sync; the first to
// arrive at an idle writer waits for nobody.
//
// Every job is answered in bounded time: a lock that another program holds is waited for as long as
// the oldest job may wait, an error of the disk that may pass is tried again a few times, the whole
// batch anew. So the work of a job may run more than once; only the last time counts.
//
// Outside of a server, each transaction stands within a WriteTurn (nobody but a living server holds
// the write lock) and a NoStop (nobody is suspended while holding it). Where a server lives, what
// was to be written is handed over to it instead.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/stop_gate.h"
#include "store/server_lock.h"
#include "store/sqlite/batch.h"
#include "store/sqlite/database.h"
#include "store/sqlite/job.h"
#include "store/sqlite/write_client.h"

namespace wave::store::sqlite {

/// What a store without a writer says.
Error read_only_error();

/// Owned by the store. Thread: submit and submit_and_wait from any but the writer's own.
class Writer {
 public:
  /// Called on the writer's thread after each commit that changed something, after the jobs'
  /// `done`.
  using Committed = std::function<void(const Batch&)>;
  /// Calls its argument while no reader of this process reads; false when it could not in time.
  using WithoutReaders = std::function<bool(const std::function<void()>&)>;

  /// What a process needs that is not the server.
  struct Outsider {
    WriteTurn turn;
    WriteClient client;
  };

  Writer(std::unique_ptr<Database> database, int schema_version, Committed committed,
         WithoutReaders without_readers, std::unique_ptr<Outsider> outsider);
  ~Writer();

  /// Writes what was submitted, then ends the thread; the connection stays open until destruction.
  /// On a slow disk it ends with the transaction that is under way: what was not begun is refused,
  /// and what the WAL holds stays there for the next opening.
  void stop();

  [[nodiscard]] int schema_version() const { return schema_version_; }
  /// Whether another process may write what is submitted here.
  [[nodiscard]] bool may_hand_over() const { return outsider_ != nullptr; }

  /// `done` gets kLimit when more than 256 MiB wait already, and kStore after stop; it is then
  /// called on this thread.
  void submit(Job job);
  /// The same, waiting; the job's own `done` is not called. kInternal on the writer's own thread,
  /// which would wait for itself.
  Status submit_and_wait(Job job);

  /// Why nothing can be written just now: the disk, or who holds the lock. Whoever asks makes an
  /// idle writer look every few seconds, for a while. Thread: any.
  [[nodiscard]] std::optional<Error> trouble();

 private:
  void run();
  bool take_arrived();
  void write_batch();
  void write_here();
  void hand_over();
  [[nodiscard]] Result<bool> take_turn();
  void give_turn_back();
  void with_turn(void (Writer::*work)());
  [[nodiscard]] bool is_stopping();
  Status write_taken(Batch& batch, size_t& written);
  Status begin(std::optional<NoStop>& no_stop);
  Status write_jobs(Batch& batch, size_t& written);
  void answer_late(MonoTime now, const Error& error);
  [[nodiscard]] bool is_late(const Job& job, MonoTime now) const;
  bool try_again_later(const Error& error, int tries);
  void note_trouble(const Error& error);
  void note_success();
  void look_whether_it_writes();
  Status run_job(Batch& batch, Job& job);
  void finish(size_t count, const Status& commit);
  void checkpoint();
  void refuse_rest();
  void copy_wal();
  void empty_wal();
  [[nodiscard]] int uncheckpointed_frames() const;
  static int wal_grew(void* self, sqlite3* handle, const char* name, int frames);

  std::unique_ptr<Database> database_;
  const int schema_version_;
  const Committed committed_;
  const WithoutReaders without_readers_;
  const std::unique_ptr<Outsider> outsider_;  // null in the server

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Job> queue_;         // guarded by mutex_
  size_t queued_bytes_ = 0;       // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  MonoTime stop_by_{};            // guarded by mutex_: what is not written by then is not
  std::optional<Error> trouble_;  // guarded by mutex_
  MonoTime watched_until_{};      // guarded by mutex_: somebody wants to know of trouble

  std::deque<Job> taken_;     // of the writer's thread, like all below
  int wal_frames_ = 0;        // in the WAL after the last commit
  int wal_checkpointed_ = 0;  // of them, how many a checkpoint has copied
  bool slow_ = false;         // the disk took long for the last commit
  MonoTime blocked_since_{};  // by another program's lock; zero: it is not
  std::thread thread_;
};

}  // namespace wave::store::sqlite
