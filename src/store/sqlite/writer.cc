#include "store/sqlite/writer.h"

#include <future>

#include "base/log.h"

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxQueuedBytes = 256 << 20;
constexpr size_t kJobOverhead = 256;
constexpr auto kMaxBatch = Millis(10);
// A checkpoint copies pages from the WAL to the database with two syncs. It waits for a pause, so
// that nobody waits for it; a writer without pauses does one every 64 MiB, which also bounds the
// WAL.
constexpr auto kPause = Millis(200);
constexpr auto kSlowCommit = Millis(250);  // more than a few of them do not fit into an end
constexpr int kIdleFrames = 256;
constexpr int kBusyFrames = 16'384;

Error ending_error() {
  return {Code::kStore, "this process is ending and stores nothing more",
          "what was accepted goes on with the next wave serve or wave resume"};
}

}  // namespace

Writer::Writer(std::unique_ptr<Database> database, int schema_version, Committed committed)
    : database_(std::move(database)),
      schema_version_(schema_version),
      committed_(std::move(committed)) {
  sqlite3_wal_hook(database_->handle(), &Writer::wal_grew, this);
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  stop();
}

void Writer::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (!thread_.joinable()) return;
  thread_.join();
  // Closing the last connection copies the WAL, with two syncs more.
  if (slow_) sqlite3_db_config(database_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

int Writer::wal_grew(void* self, sqlite3* /*handle*/, const char* /*name*/, int frames) {
  auto* writer = static_cast<Writer*>(self);
  // Fewer than were checkpointed: the WAL has started again from its beginning.
  if (frames < writer->wal_checkpointed_) writer->wal_checkpointed_ = 0;
  writer->wal_frames_ = frames;
  return SQLITE_OK;
}

int Writer::uncheckpointed_frames() const {
  return wal_frames_ - wal_checkpointed_;
}

void Writer::submit(Job job) {
  job.bytes += kJobOverhead;
  bool stopped = false;
  {
    const std::scoped_lock lock(mutex_);
    stopped = stopping_;
    if (queued_bytes_ + job.bytes <= kMaxQueuedBytes && !stopped) {
      queued_bytes_ += job.bytes;
      queue_.push_back(std::move(job));
      arrived_.notify_one();
      return;
    }
  }
  if (stopped) {
    return job.done(fail(ending_error()));
  }
  job.done(fail(Code::kLimit, "more than 256 MiB wait to be written to the store",
                "the disk is too slow for what the agents do; run fewer at a time"));
}

Status Writer::submit_and_wait(Job::Work work, size_t bytes, bool reads_rows) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return fail(Code::kInternal, "the store's writer cannot wait for itself");
  }
  std::promise<Status> promise;
  std::future<Status> outcome = promise.get_future();
  submit({.work = std::move(work),
          .done = [&](Status status) { promise.set_value(std::move(status)); },
          .bytes = bytes,
          .reads_rows = reads_rows});
  return outcome.get();
}

void Writer::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return !queue_.empty() || stopping_; };
      if (taken_.empty() && uncheckpointed_frames() > kIdleFrames) {
        if (!arrived_.wait_for(lock, kPause, ready)) {
          lock.unlock();
          checkpoint();
          continue;
        }
      } else if (taken_.empty()) {
        arrived_.wait(lock, ready);
      }
      if (taken_.empty() && queue_.empty()) return;  // stopping, and all is written
      if (stopping_ && slow_) break;
    }
    write_batch();
    if (uncheckpointed_frames() > kBusyFrames) checkpoint();
  }
  refuse_rest();
}

void Writer::refuse_rest() {
  take_arrived();
  finish(taken_.size(), fail(ending_error()));
}

/// Moves what has arrived to `taken_`; false when nothing has.
bool Writer::take_arrived() {
  const std::scoped_lock lock(mutex_);
  if (queue_.empty()) return false;
  if (taken_.empty()) {
    taken_.swap(queue_);
    return true;
  }
  std::ranges::move(queue_, std::back_inserter(taken_));
  queue_.clear();
  return true;
}

void Writer::write_batch() {
  take_arrived();
  Batch batch(*database_, schema_version_);
  size_t written = 0;
  Status commit = write_jobs(batch, written);
  if (!commit) {
    if (database_->in_transaction()) (void)database_->execute("ROLLBACK");
    if (written == 0) written = taken_.size();  // it did not even begin
  }
  finish(written, commit);
  if (commit && !batch.touched().empty()) committed_(batch);
}

/// BEGIN to COMMIT. `written` is how many of `taken_`, from the front, took part.
Status Writer::write_jobs(Batch& batch, size_t& written) {
  const auto began = std::chrono::steady_clock::now();
  {
    WAVE_TRY(Query begin, database_->query("BEGIN IMMEDIATE"));
    WAVE_CHECK(begin.run());
  }
  WAVE_CHECK(batch.begin());
  do {
    while (written < taken_.size()) {
      WAVE_CHECK(run_job(batch, taken_[written++]));
      if (std::chrono::steady_clock::now() - began > kMaxBatch) break;
    }
  } while (std::chrono::steady_clock::now() - began < kMaxBatch && take_arrived());
  WAVE_CHECK(batch.flush());
  WAVE_TRY(Query commit, database_->query("COMMIT"));
  const auto commits = std::chrono::steady_clock::now();
  const Status committed = commit.run();
  slow_ = std::chrono::steady_clock::now() - commits > kSlowCommit;
  return committed;
}

/// An error of this function ends the batch; that of the job is kept in it.
Status Writer::run_job(Batch& batch, Job& job) {
  if (job.reads_rows) WAVE_CHECK(batch.flush());
  {
    WAVE_TRY(Query savepoint, database_->query("SAVEPOINT job"));
    WAVE_CHECK(savepoint.run());
  }
  job.outcome = job.work(batch);
  if (!job.outcome) {
    // On some errors, a full disk among them, SQLite ends the whole transaction.
    if (!database_->in_transaction()) return job.outcome;
    WAVE_TRY(Query rollback, database_->query("ROLLBACK TO job"));
    WAVE_CHECK(rollback.run());
  }
  WAVE_TRY(Query release, database_->query("RELEASE job"));
  return release.run();
}

/// Answers the first `count` jobs: with their own error, else with that of the commit.
void Writer::finish(size_t count, const Status& commit) {
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    Job job = std::move(taken_.front());
    taken_.pop_front();
    bytes += job.bytes;
    job.done(job.outcome ? commit : job.outcome);
  }
  const std::scoped_lock lock(mutex_);
  queued_bytes_ -= bytes;
}

/// PASSIVE: waits for nobody. What a reader still needs is left to the next one.
void Writer::checkpoint() {
  int frames = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr,
                                             SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) {
    // Nothing is lost: the WAL has it all. A full disk is told by the next commit.
    log::warning("{}", database_->error(code, "cannot copy the log into the database").message);
  }
  // Even if it did not get through: not again before more has been written.
  wal_checkpointed_ = wal_frames_;
}

}  // namespace wave::store::sqlite
