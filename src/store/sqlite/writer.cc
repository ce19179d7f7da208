#include "store/sqlite/writer.h"

#include <fmt/core.h>

#include <future>

#include "base/disk.h"
#include "base/log.h"
#include "base/text.h"

namespace wave::store::sqlite {
namespace {

constexpr size_t kMaxQueuedBytes = 256 << 20;
constexpr size_t kJobOverhead = 256;
constexpr auto kMaxBatch = Millis(10);
// A checkpoint copies pages from the WAL to the database with two syncs. It waits for a pause, so
// that nobody waits for it; a writer without pauses does one every 16 MiB, which also bounds the
// WAL.
constexpr auto kPause = Millis(200);
constexpr auto kSlowCommit = Millis(250);  // more than a few of them do not fit into an end
constexpr int kIdleFrames = 256;
constexpr int kBusyFrames = 4'096;
// The WAL begins anew only when nobody reads from it. Where somebody always does, it would grow for
// ever: beyond this, readers of this process are held back for a moment.
constexpr int kMaxFrames = 2 * kBusyFrames;

// A write is answered within ten seconds, whoever holds the lock: 7 s for the first, 1 s for those
// that come when it has been held for that long, such as the audit row of a call that was refused.
constexpr Millis kPatience{7'000};
constexpr Millis kLatePatience{1'000};
constexpr Millis kStopPatience{2'000};
constexpr Millis kLockLook{50};
constexpr Millis kLockIsNews{1'000};  // transactions of ours take milliseconds

constexpr int kMaxTries = 6;  // of a batch, when the disk fails: 1.6 s in all
constexpr Millis kFirstPause{50};

constexpr Millis kIdleLook{5'000};
constexpr Millis kWatchedFor{30'000};

// A server that starts holds its lock before it takes writes, one that ends for a moment after.
constexpr auto kServerComesWithin = std::chrono::seconds(10);
constexpr auto kLookForServer = Millis(10);

Error no_server_writes(const Error& why) {
  return {Code::kStoreBusy,
          fmt::format("the server of this project does not take what is to be written: {}",
                      full_message(why)),
          "see whether it is suspended; let it go on or stop it, then try again"};
}

MonoTime now_mono() {
  return SystemClock().mono();
}

Error ending_error() {
  return {Code::kStore, "this process is ending and stores nothing more",
          "what was accepted goes on with the next wave serve or wave resume"};
}

}  // namespace

Error read_only_error() {
  return {Code::kStore, "the store was opened for reading only",
          "this is a mistake in wave; please report it"};
}

Writer::Writer(std::unique_ptr<Database> database, int schema_version, Committed committed,
               WithoutReaders without_readers, std::unique_ptr<Outsider> outsider)
    : database_(std::move(database)),
      schema_version_(schema_version),
      committed_(std::move(committed)),
      without_readers_(std::move(without_readers)),
      outsider_(std::move(outsider)) {
  sqlite3_busy_timeout(database_->handle(), static_cast<int>(kLockLook.count()));
  sqlite3_wal_hook(database_->handle(), &Writer::wal_grew, this);
  thread_ = std::thread([this] { run(); });
}

Writer::~Writer() {
  stop();
  // The last to close copies the WAL into the database, under locks.
  const Result<bool> mine = take_turn();
  if (!mine || !*mine) {
    sqlite3_db_config(database_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  const NoStop no_stop;
  database_.reset();
  give_turn_back();
}

void Writer::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    stop_by_ = now_mono() + kStopPatience;
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
  job.since = now_mono();
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

Status Writer::submit_and_wait(Job job) {
  if (std::this_thread::get_id() == thread_.get_id()) {
    return fail(Code::kInternal, "the store's writer cannot wait for itself");
  }
  std::promise<Status> promise;
  std::future<Status> outcome = promise.get_future();
  job.done = [&](Status status) { promise.set_value(std::move(status)); };
  submit(std::move(job));
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
        if (!arrived_.wait_for(lock, kIdleLook, ready)) {
          const bool watched = now_mono() < watched_until_;
          lock.unlock();
          if (watched) with_turn(&Writer::look_whether_it_writes);
          continue;
        }
      }
      if (taken_.empty() && queue_.empty()) return;  // stopping, and all is written
      if (stopping_ && slow_) break;
    }
    write_batch();
    if (uncheckpointed_frames() > kBusyFrames) checkpoint();
    if (wal_frames_ > kMaxFrames) with_turn(&Writer::empty_wal);
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
  const Result<bool> mine = take_turn();
  if (!mine) return finish(taken_.size(), fail(mine.error()));
  if (!*mine) return hand_over();
  write_here();
  give_turn_back();
}

/// False: a server lives and writes for us.
Result<bool> Writer::take_turn() {
  if (outsider_ == nullptr) return true;
  return outsider_->turn.take();
}

void Writer::give_turn_back() {
  if (outsider_ != nullptr) outsider_->turn.give_back();
}

/// Care of the database that nobody waits for; where a server lives, it takes that care.
void Writer::with_turn(void (Writer::*work)()) {
  const Result<bool> mine = take_turn();
  if (!mine || !*mine) return;
  {
    const NoStop no_stop;
    (this->*work)();
  }
  give_turn_back();
}

bool Writer::is_stopping() {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

/// To the server, for as long as one lives: it may come or go meanwhile, and what it has stored
/// without telling us is found to be stored already.
void Writer::hand_over() {
  const auto end = std::chrono::steady_clock::now() + kServerComesWithin;
  while (!taken_.empty()) {
    const WriteClient::HandedOver handed = outsider_->client.hand_over(taken_);
    finish(handed.answered, {});
    if (handed.status) continue;
    for (Job& job : taken_) job.asked_before = true;
    const bool gone = handed.status.error().code == Code::kServerUnreachable;
    if (!gone || is_stopping() || std::chrono::steady_clock::now() > end) {
      return finish(taken_.size(), fail(no_server_writes(handed.status.error())));
    }
    if (const auto mine = take_turn(); mine && *mine) {
      give_turn_back();
      return;  // there is none any more: the next round writes here
    }
    std::this_thread::sleep_for(kLookForServer);
  }
}

void Writer::write_here() {
  for (int tries = 1; !taken_.empty(); ++tries) {
    Batch batch(*database_, schema_version_);
    size_t written = 0;
    const Status commit = write_taken(batch, written);
    if (!commit && try_again_later(commit.error(), tries)) continue;
    if (commit) {
      note_success();
    } else {
      note_trouble(commit.error());
      if (written == 0) written = taken_.size();  // it did not even begin
    }
    finish(written, commit);
    if (commit && !batch.touched().empty()) committed_(batch);
    return;
  }
}

/// A transaction, or nothing of it.
Status Writer::write_taken(Batch& batch, size_t& written) {
  std::optional<NoStop> no_stop;  // while the lock is held, not while it is waited for
  const Status began = begin(no_stop);
  const Status commit = began ? write_jobs(batch, written) : began;
  if (!commit && database_->in_transaction()) (void)database_->execute("ROLLBACK");
  return commit;
}

/// Waits for the lock as long as any job may wait. Those that may not are answered meanwhile; what
/// is left when there are none is told as a failure.
Status Writer::begin(std::optional<NoStop>& no_stop) {
  while (true) {
    no_stop.emplace();
    Status began = [&]() -> Status {
      WAVE_TRY(Query begin, database_->query("BEGIN IMMEDIATE"));
      return begin.run();
    }();
    if (began || began.error().code != Code::kStoreBusy) {
      if (began) blocked_since_ = {};
      return began;
    }
    no_stop.reset();
    const MonoTime now = now_mono();
    if (blocked_since_ == MonoTime{}) blocked_since_ = now;
    const Millis held = std::chrono::duration_cast<Millis>(now - blocked_since_);
    Error error = std::move(began).error();
    error.message = fmt::format("{}, for {} by now", error.message, format_duration(held));
    if (held > kLockIsNews) note_trouble(error);
    take_arrived();
    answer_late(now, error);
    if (taken_.empty()) return fail(std::move(error));
  }
}

bool Writer::is_late(const Job& job, MonoTime now) const {
  const MonoTime until =
      std::max(job.since + kLatePatience, std::min(job.since, blocked_since_) + kPatience);
  return now >= until;
}

void Writer::answer_late(MonoTime now, const Error& error) {
  bool stop = false;
  {
    const std::scoped_lock lock(mutex_);
    stop = stopping_ && now >= stop_by_;
  }
  std::deque<Job> late, waiting;
  for (Job& job : taken_) (stop || is_late(job, now) ? late : waiting).push_back(std::move(job));
  taken_ = std::move(late);
  finish(taken_.size(), fail(error));
  taken_ = std::move(waiting);
}

/// Errors that may pass are waited out, a little longer each time; a full disk once, after the WAL
/// was emptied: what is then written needs no room of its own.
bool Writer::try_again_later(const Error& error, int tries) {
  if (taken_.empty() || !is_of_disk(error) || tries >= kMaxTries) return false;
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_ && now_mono() >= stop_by_) return false;
  }
  if (error.code == Code::kDiskFull) {
    if (tries > 1 || wal_frames_ == 0) return false;
    const NoStop no_stop;
    empty_wal();
    return true;
  }
  std::this_thread::sleep_for(kFirstPause * (1 << (tries - 1)));
  return true;
}

std::optional<Error> Writer::trouble() {
  const std::scoped_lock lock(mutex_);
  watched_until_ = now_mono() + kWatchedFor;
  return trouble_;
}

/// What the database itself refuses is its caller's trouble, not that of all.
void Writer::note_trouble(const Error& error) {
  if (!is_of_disk(error) && error.code != Code::kStoreBusy && error.code != Code::kStore) return;
  bool news = false;
  {
    const std::scoped_lock lock(mutex_);
    news = !trouble_;
    trouble_ = error;
  }
  if (news) log::warning("nothing can be stored: {}", full_message(error));
}

void Writer::note_success() {
  bool news = false;
  {
    const std::scoped_lock lock(mutex_);
    news = trouble_.has_value();
    trouble_.reset();
  }
  if (news) log::info("the database takes writes again");
}

/// For those who ask whether it writes while nothing has to be written: takes the lock; and, where
/// something was wrong, writes.
void Writer::look_whether_it_writes() {
  bool in_trouble = false;
  {
    const std::scoped_lock lock(mutex_);
    in_trouble = trouble_.has_value();
  }
  const Status looked = [&]() -> Status {
    WAVE_TRY(Query begin, database_->query("BEGIN IMMEDIATE"));
    WAVE_CHECK(begin.run());
    if (in_trouble) {
      WAVE_TRY(Query write, database_->query("INSERT INTO meta(key, value) VALUES('probe', 1)"
                                             " ON CONFLICT(key) DO UPDATE SET value = value + 1"));
      WAVE_CHECK(write.run());
    }
    WAVE_TRY(Query commit, database_->query("COMMIT"));
    return commit.run();
  }();
  if (looked) {
    blocked_since_ = {};
    return note_success();
  }
  if (database_->in_transaction()) (void)database_->execute("ROLLBACK");
  if (looked.error().code == Code::kStoreBusy && blocked_since_ == MonoTime{}) {
    blocked_since_ = now_mono();
  }
  note_trouble(looked.error());
}

/// To COMMIT. `written` is how many of `taken_`, from the front, took part.
Status Writer::write_jobs(Batch& batch, size_t& written) {
  const auto began = std::chrono::steady_clock::now();
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
  batch.set_asked_before(job.asked_before);
  job.outcome = job.work(batch);
  if (!job.outcome) {
    // On some errors, a full disk among them, SQLite ends the whole transaction; and what the disk
    // did to one job it does to all.
    if (!database_->in_transaction() || is_of_disk(job.outcome.error())) return job.outcome;
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

void Writer::checkpoint() {
  with_turn(&Writer::copy_wal);
  // Even if it did not get through: not again before more has been written.
  wal_checkpointed_ = wal_frames_;
}

/// PASSIVE: waits for nobody. What a reader still needs is left to the next one.
void Writer::copy_wal() {
  int frames = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr,
                                             SQLITE_CHECKPOINT_PASSIVE, &frames, &copied);
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) {
    // Nothing is lost: the WAL has it all. A full disk is told by the next commit.
    log::warning("{}", database_->error(code, "cannot copy the log into the database").message);
  }
}

/// Empties the WAL, for which nobody may read from it. Readers of other processes are waited for as
/// long as for any lock; then it is for the next time.
void Writer::empty_wal() {
  int code = SQLITE_BUSY;
  const bool alone = without_readers_([&] {
    code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE,
                                     nullptr, nullptr);
  });
  if (alone && code == SQLITE_OK) wal_frames_ = wal_checkpointed_ = 0;
}

}  // namespace wave::store::sqlite
