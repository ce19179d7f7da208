#include "store/sqlite/sqlite_store.h"

#include <fmt/core.h>

#include <charconv>

#include "base/stop_gate.h"
#include "base/text.h"
#include "store/server_lock.h"
#include "store/snapshot_format.h"
#include "store/sqlite/access_rows.h"
#include "store/sqlite/commands.h"
#include "store/sqlite/event_queries.h"
#include "store/sqlite/figures.h"
#include "store/sqlite/prune.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/run_pages.h"
#include "store/sqlite/run_queries.h"
#include "store/sqlite/run_writes.h"
#include "store/sqlite/webhook_rows.h"

namespace wave::store::sqlite {
namespace {

constexpr auto kSweepInterval = std::chrono::hours(1);
constexpr size_t kBlobsPerPiece = 256;
constexpr Millis kReadersPause{300};  // they take milliseconds

}  // namespace

Result<std::unique_ptr<Store>> SqliteStore::open(const StatePaths& paths,
                                                 const OpenOptions& options,
                                                 const OpenRules& rules) {
  WAVE_TRY(std::unique_ptr<Database> database, open_database(paths, options, rules));
  WAVE_TRY(const Mark mark, read_mark(*database));
  std::unique_ptr<SqliteStore> store(
      new SqliteStore(paths, options, newest_version(rules), std::move(database)));
  store->announced_ = mark;
  if (options.server) store->serve_writes();
  return store;
}

SqliteStore::SqliteStore(StatePaths paths, const OpenOptions& options, int schema_version,
                         std::unique_ptr<Database> database)
    : paths_(std::move(paths)),
      blobs_(paths_.blobs()),
      doorbell_(paths_.doorbell()),
      readers_(paths_.database(), options.vfs, options.read_only ? std::move(database) : nullptr) {
  if (options.read_only) return;
  // A test's file system that forgets has no other processes.
  const bool alone = options.server || !options.vfs.empty();
  writer_ = std::make_unique<Writer>(
      std::move(database), schema_version, [this](const Batch& batch) { committed(batch); },
      [this](const std::function<void()>& work) {
        return readers_.without_readers(kReadersPause, work);
      },
      alone ? nullptr
            : std::make_unique<Writer::Outsider>(WriteTurn(paths_),
                                                 WriteClient(paths_, schema_version)));
}

void SqliteStore::close() {
  write_server_.reset();  // it gives to the writer
  if (writer_ != nullptr) writer_->stop();
  {
    const std::scoped_lock lock(watch_mutex_);
    watch_.reset();
  }
  subscribers_.clear();
}

SqliteStore::~SqliteStore() {
  close();
  // The last to close copies the WAL into the database and removes it, which a reader cannot.
  readers_.close_idle();
  writer_.reset();
}

std::optional<Error> SqliteStore::write_trouble() {
  return writer_ == nullptr ? std::nullopt : writer_->trouble();
}

// --- runs ---

Result<CreatedRun> SqliteStore::create_run(const NewRun& run) {
  if (!is_safe_name(run.run_id)) {
    return fail(Code::kUsage, fmt::format("\"{}\" cannot be a run id", excerpt(run.run_id, 200)));
  }
  if (run.events.empty()) return fail(Code::kInternal, "a run begins with an event");
  WAVE_TRY(WriteAnswer answer, write(run));
  return std::move(answer.created);
}

Result<std::vector<std::string>> SqliteStore::blobs_of_snapshot(const std::string& sha256) const {
  auto list = blobs_.get(sha256);
  if (!list) return fail(list.error().wrapped("the run's snapshot is not stored"));
  return snapshot_blobs(*list, sha256);
}

Result<RunDetails> SqliteStore::run(const std::string& run_id) {
  return read([&](Database& reader) { return run_details(reader, run_id); });
}

Result<RunPage> SqliteStore::run_page(const RunFilter& filter) {
  return read([&](Database& reader) { return sqlite::run_page(reader, filter); });
}

Result<std::vector<LiveRun>> SqliteStore::live_runs(int64_t after) {
  return read([&](Database& reader) { return sqlite::live_runs(reader, after); });
}

Result<std::optional<std::string>> SqliteStore::run_of_key(const std::string& key,
                                                           const std::string& request_hash) {
  return read([&](Database& reader) { return earlier_run(reader, key, request_hash); });
}

Status SqliteStore::keep_key(const std::string& key, const std::string& request_hash,
                             const std::string& run_id) {
  return write_as_server([&](Batch& batch) -> Status {
    WAVE_TRY(const auto earlier, earlier_run(batch.database(), key, request_hash));
    if (earlier) return {};
    WAVE_TRY(const RunEntry* const entry, batch.run(run_id));
    return insert_idempotency(batch.database(), entry->id, key, request_hash);
  });
}

Result<std::string> SqliteStore::resolve_run(const std::string& prefix) {
  return read([&](Database& reader) { return sqlite::resolve_run(reader, prefix); });
}

// --- pruning ---

Status SqliteStore::prune_run(const std::string& run_id, const std::stop_token& stop) {
  WAVE_TRY(const WriteAnswer removed, write(PruneRows{run_id, SystemClock().wall()}));
  const PruneWork& work = removed.prune;
  if (work.run != 0) WAVE_CHECK(prune_rest(work.run, stop));
  WAVE_CHECK(finish_earlier_prunes(stop));
  WAVE_CHECK(remove_unused(work.blobs, stop));
  return sweep_blobs(stop);
}

Status SqliteStore::prune_rest(int64_t run, const std::stop_token& stop) {
  bool done = false;
  while (!done && !stop.stop_requested()) {
    WAVE_TRY(const WriteAnswer removed, write(PruneEvents{run}));
    done = removed.done;
  }
  return {};
}

/// Those that a crash has interrupted.
Status SqliteStore::finish_earlier_prunes(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    int64_t run = 0;
    {
      WAVE_TRY(const auto reader, readers_.borrow());
      WAVE_TRY(run, reader->integer("SELECT run FROM pruned WHERE finished = 0 LIMIT 1"));
    }
    if (run == 0) return {};
    WAVE_CHECK(prune_rest(run, stop));
  }
  return {};
}

Status SqliteStore::give_back_space(const std::stop_token& stop) {
  WAVE_CHECK(finish_earlier_prunes(stop));
  WAVE_CHECK(sweep_blobs(stop));
  bool done = false;
  while (!done && !stop.stop_requested()) {
    WAVE_TRY(const WriteAnswer given, write(GiveBackPages{}));
    done = given.done;
  }
  return {};
}

Result<uint64_t> SqliteStore::free_bytes() {
  WAVE_TRY(const auto reader, readers_.borrow());
  WAVE_TRY(const int64_t pages, reader->integer("PRAGMA freelist_count"));
  WAVE_TRY(const int64_t size, reader->integer("PRAGMA page_size"));
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(size);
}

Status SqliteStore::compact() {
  if (writer_ == nullptr) return fail(read_only_error());
  WAVE_TRY(const std::unique_ptr<Database> database, Database::open(paths_.database(), {}));
  WriteTurn turn(paths_);
  WAVE_TRY(const bool mine, turn.take());
  if (!mine) {
    return fail(Code::kConflict, "a server works with the database", "try again when it has ended");
  }
  const NoStop no_stop;
  return rewrite_database(*database);
}

Status SqliteStore::remove_unused(std::span<const std::string> candidates,
                                  const std::stop_token& stop) {
  for (size_t at = 0; at < candidates.size() && !stop.stop_requested(); at += kBlobsPerPiece) {
    const auto piece = candidates.subspan(at, std::min(kBlobsPerPiece, candidates.size() - at));
    WAVE_CHECK(write(RemoveBlobs{{piece.begin(), piece.end()}}));
  }
  return {};
}

/// Finds what no run ever came to refer to, because its process died before. Looks at every blob,
/// so at most once an hour.
Status SqliteStore::sweep_blobs(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<std::string> piece;
    {
      const std::scoped_lock lock(sweep_mutex_);
      const auto now = std::chrono::steady_clock::now();
      if (unswept_.empty()) {
        if (swept_ && now - *swept_ < kSweepInterval) return {};
        swept_ = now;
        unswept_ = blobs_.list();
      }
      const size_t size = std::min(kBlobsPerPiece, unswept_.size());
      piece.assign(unswept_.end() - static_cast<std::ptrdiff_t>(size), unswept_.end());
      unswept_.resize(unswept_.size() - size);
    }
    WAVE_CHECK(remove_unused(piece, stop));
  }
  return {};
}

// --- the log ---

void SqliteStore::append(Append request, Appended done) {
  if (writer_ == nullptr) return done(fail(read_only_error()));
  auto made = make_job(EncodedAppend(std::move(request)));
  if (!made) return done(fail(made.error()));
  Job& job = made->first;
  job.done = std::move(done);
  writer_->submit(std::move(job));
}

Status SqliteStore::append_and_wait(Append request) {
  WAVE_CHECK(write(EncodedAppend(std::move(request))));
  return {};
}

Result<std::vector<StoredEvent>> SqliteStore::events(const std::string& run_id,
                                                     const EventQuery& query) {
  return read([&](Database& reader) { return sqlite::events(reader, run_id, query); });
}

Result<std::vector<StoredEvent>> SqliteStore::events_since(int64_t position, size_t limit) {
  return read([&](Database& reader) { return sqlite::events_since(reader, position, limit); });
}

Result<std::vector<SpoolMark>> SqliteStore::spool_marks(const std::string& run_id) {
  return read([&](Database& reader) -> Result<std::vector<SpoolMark>> {
    WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(reader));
    WAVE_TRY(const int64_t run, find_run_id(reader, run_id));
    return read_spool_marks(reader, run);
  });
}

// --- ownership ---

Result<int64_t> SqliteStore::take_ownership(const std::string& run_id) {
  const TakeOver run{.run_id = run_id, .note_fold = false};
  WAVE_TRY(const std::vector<int64_t> epochs, take_ownership_of({&run, 1}));
  return epochs.front();
}

Result<std::vector<int64_t>> SqliteStore::take_ownership_of(std::span<const TakeOver> runs) {
  WAVE_TRY(WriteAnswer answer, write(TakeOwnership{{runs.begin(), runs.end()}}));
  return std::move(answer.epochs);
}

Result<int> SqliteStore::note_fold(const std::string& run_id, bool finished) {
  WAVE_TRY(const WriteAnswer answer, write(NoteFold{run_id, finished}));
  return static_cast<int>(answer.number);
}

Status SqliteStore::note_folds_ended(std::span<const std::string> run_ids) {
  WAVE_CHECK(write(EndFolds{{run_ids.begin(), run_ids.end()}}));
  return {};
}

// --- commands ---

Result<int64_t> SqliteStore::submit_command(const Command& command) {
  WAVE_TRY(const WriteAnswer answer, write(command));
  return answer.number;
}

Result<std::vector<Command>> SqliteStore::pending_commands(const std::string& run_id) {
  return read([&](Database& reader) { return sqlite::pending_commands(reader, run_id); });
}

Result<std::vector<Asked>> SqliteStore::asked_runs() {
  return read([&](Database& reader) { return sqlite::asked_runs(reader); });
}

Result<std::optional<Command>> SqliteStore::gate_command(const std::string& run_id,
                                                         const std::string& gate_id) {
  return read([&](Database& reader) { return sqlite::gate_command(reader, run_id, gate_id); });
}

Result<std::vector<std::pair<std::string, flow::GateRow>>> SqliteStore::waiting_gates() {
  return read([&](Database& reader) { return sqlite::waiting_gates(reader); });
}

Result<Figures> SqliteStore::figures() {
  return read([&](Database& reader) { return read_figures(reader); });
}

// --- webhooks ---

Result<WebhookStore::Begun> SqliteStore::begin_delivery(const WebhookDelivery& delivery,
                                                        Millis same_body_for, Millis keep) {
  Begun begun;
  WAVE_CHECK(write_as_server([&](Batch& batch) -> Status {
    WAVE_TRY(begun, sqlite::begin_delivery(batch.database(), delivery, same_body_for, keep));
    return {};
  }));
  return begun;
}

Status SqliteStore::end_delivery(int64_t id, const std::string& outcome, const std::string& run_id,
                                 const std::string& detail) {
  return write_as_server([&](Batch& batch) {
    return sqlite::end_delivery(batch.database(), id, outcome, run_id, detail);
  });
}

Result<std::vector<WebhookDelivery>> SqliteStore::deliveries(const std::string& webhook,
                                                             int64_t before, size_t limit) {
  return read([&](Database& reader) { return list_deliveries(reader, webhook, before, limit); });
}

// --- following ---

uint64_t SqliteStore::subscribe(Changed changed) {
  const uint64_t id = subscribers_.add(std::move(changed));
  const std::scoped_lock lock(watch_mutex_);
  if (watch_ == nullptr) {
    auto watch = DoorbellWatch::start(paths_.doorbell(), [this] { look_for_foreign_commits(); });
    if (watch) watch_ = std::move(*watch);
  }
  return id;
}

void SqliteStore::unsubscribe(uint64_t subscription) {
  subscribers_.remove(subscription);
}

Result<LogEnd> SqliteStore::log_end(const std::string& run_id) {
  return read([&](Database& reader) { return sqlite::log_end(reader, run_id); });
}

void SqliteStore::note_shown(uint64_t position) {
  // Renamed into its place, so that a reader sees the old note or the new one. It only ever says
  // less than the database if the machine goes down: then nothing is found, and nothing is wrong.
  const fs::path path = paths_.shown();
  const fs::path next = path.native() + ".new";
  if (!write_file(next, fmt::format("{} {}\n", epoch_.load(), position), 0600)) return;
  std::error_code ignored;
  fs::rename(next, path, ignored);
}

Status SqliteStore::check_epoch() {
  WAVE_TRY(const LogEnd end, log_end({}));
  epoch_ = end.epoch;
  const auto note = read_file(paths_.shown(), 100);
  if (!note) return {};  // nothing was shown yet
  int64_t epoch = 0;
  uint64_t position = 0;
  const char* const stop = note->data() + note->size();
  const auto [rest, first] = std::from_chars(note->data(), stop, epoch);
  if (first != std::errc() || rest == stop) return {};
  if (std::from_chars(rest + 1, stop, position).ec != std::errc()) return {};
  const bool is_older = epoch > end.epoch || (epoch == end.epoch && position > end.last);
  if (!is_older) return {};
  const int64_t next = std::max(epoch, end.epoch) + 1;
  WAVE_CHECK(write_as_server([&](Batch& batch) -> Status {
    WAVE_TRY(Query raise,
             batch.database().query("INSERT INTO meta(key, value) VALUES('stream_epoch', ?1)"
                                    " ON CONFLICT(key) DO UPDATE SET value = excluded.value"));
    return raise.bind(next).run();
  }));
  epoch_ = next;
  return {};
}

/// On the writer's thread, after a commit.
void SqliteStore::committed(const Batch& batch) {
  doorbell_.ring();
  bool foreign = wrote_for_others_.exchange(false);
  {
    const std::scoped_lock lock(mark_mutex_);
    // What lies between the last announcement and this batch came from another process, and this
    // announcement would hide it.
    foreign = foreign || batch.before() != announced_;
    announced_ = batch.after();
  }
  if (foreign) subscribers_.notify({}, 0);
  for (const auto& [run_id, last_seq] : batch.touched()) subscribers_.notify(run_id, last_seq);
}

/// On the watch's thread: the doorbell rang, for a commit of another process or our own.
void SqliteStore::look_for_foreign_commits() {
  if (subscribers_.empty()) return;
  {
    const auto reader = readers_.borrow();
    if (!reader) return;  // the next ring or poll finds it
    const auto mark = read_mark(**reader);
    if (!mark) return;
    const std::scoped_lock lock(mark_mutex_);
    const bool news = mark->position > announced_.position || mark->command > announced_.command;
    if (!news) return;
    announced_.position = std::max(announced_.position, mark->position);
    announced_.command = std::max(announced_.command, mark->command);
  }
  subscribers_.notify({}, 0);
}

// --- blobs ---

Result<std::string> SqliteStore::put_blob(std::string_view bytes) {
  WAVE_TRY(const std::vector<std::string> hashes, blobs_.put({&bytes, 1}));
  return hashes.front();
}

Result<std::vector<std::string>> SqliteStore::put_blobs(
    std::span<const std::string_view> contents) {
  return blobs_.put(contents);
}

Result<std::string> SqliteStore::put_blob_file(const std::filesystem::path& path) {
  return blobs_.put_file(path);
}

Result<std::string> SqliteStore::blob(const std::string& sha256) {
  return blobs_.get(sha256);
}

std::filesystem::path SqliteStore::blob_path(const std::string& sha256) const {
  return blobs_.path(sha256);
}

}  // namespace wave::store::sqlite

namespace wave::store {

Result<std::unique_ptr<Store>> open_store(const StatePaths& paths, const OpenOptions& options) {
  return sqlite::SqliteStore::open(paths, options);
}

}  // namespace wave::store
