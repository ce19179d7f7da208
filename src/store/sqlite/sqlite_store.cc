#include "store/sqlite/sqlite_store.h"

#include <fmt/core.h>

#include <charconv>

#include "base/text.h"
#include "store/snapshot_format.h"
#include "store/sqlite/access_rows.h"
#include "store/sqlite/commands.h"
#include "store/sqlite/event_queries.h"
#include "store/sqlite/figures.h"
#include "store/sqlite/prune.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/run_pages.h"
#include "store/sqlite/run_queries.h"
#include "store/sqlite/webhook_rows.h"

namespace wave::store::sqlite {
namespace {

constexpr auto kSweepInterval = std::chrono::hours(1);
constexpr size_t kBlobsPerPiece = 256;
// Of one submit by another. More is a clock that was set back.
constexpr Millis kMostOvertaken{10'000};
constexpr Millis kReadersPause{300};  // they take milliseconds

Error read_only_error() {
  return {Code::kStore, "the store was opened for reading only",
          "this is a mistake in wave; please report it"};
}

size_t bytes_of(const EncodedAppend& append) {
  size_t bytes = append.encoded.bytes;
  for (const SpoolMark& mark : append.request.spool_marks) bytes += mark.parser_state.size();
  return bytes;
}

/// The run an idempotency key stands for, if it has been used.
Result<std::optional<std::string>> earlier_run(Database& database, const std::string& key,
                                               const std::string& request_hash) {
  if (key.empty()) return std::nullopt;
  WAVE_TRY(
      Query query,
      database.query("SELECT hash, run_id FROM idempotency JOIN run ON run.id = idempotency.run"
                     " WHERE key = ?1"));
  WAVE_TRY(const bool row, query.bind(key).next());
  if (!row) return std::nullopt;
  if (query.text(0) == request_hash) return query.string(1);
  return fail(
      Code::kIdempotencyMismatch,
      fmt::format("the idempotency key \"{}\" was used for another request", excerpt(key, 100)),
      "use a new key for each request");
}

// Runs are accepted in the order in which they are stored. Between looking at the clock and
// arriving here one submit may overtake another (a large snapshot takes longer): the times follow
// the order, so that everybody who sorts by either sees the same queue (promise Q2).
Result<std::optional<NewRun>> accepted_later(Database& database, const NewRun& run) {
  WAVE_TRY(Query query, database.query("SELECT accepted_at FROM run ORDER BY id DESC LIMIT 1"));
  WAVE_TRY(const bool any, query.bind().next());
  if (!any) return std::nullopt;
  const WallTime latest = query.time(0);
  const WallTime own = run.events.front().ts;
  if (own >= latest || latest - own > kMostOvertaken) return std::nullopt;
  NewRun later = run;
  for (flow::Event& event : later.events) event.ts = std::max(event.ts, latest);
  later.projection.run.queued_at = later.events.back().ts;
  later.projection.run.updated_at = later.events.back().ts;
  return later;
}

Status check_id_is_free(Database& database, const std::string& run_id) {
  WAVE_TRY(Query query, database.query("SELECT 1 FROM run WHERE run_id = ?1 UNION ALL"
                                       " SELECT 1 FROM pruned WHERE run_id = ?1"));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) return {};
  return fail(Code::kConflict, fmt::format("there is a run {} already", run_id),
              "choose another id");
}

Status insert_idempotency(Database& database, int64_t run, const std::string& key,
                          const std::string& request_hash) {
  if (key.empty()) return {};
  WAVE_TRY(Query insert,
           database.query("INSERT INTO idempotency(key, hash, run) VALUES(?1, ?2, ?3)"));
  return insert.bind(key, request_hash, run).run();
}

Status write_audit(Database& database, const AuditEntry& entry) {
  WAVE_TRY([[maybe_unused]] const AuditEntry stored, append_audit(database, entry));
  return {};
}

/// The count after it.
Result<int> write_fold_note(Batch& batch, const std::string& run_id, bool finished) {
  WAVE_TRY(const RunEntry* const entry, batch.run(run_id));
  WAVE_TRY(Query note, batch.database().query("UPDATE run SET crash_folds ="
                                              " CASE ?2 WHEN 1 THEN 0 ELSE crash_folds + 1 END"
                                              " WHERE id = ?1 RETURNING crash_folds"));
  WAVE_CHECK(note.bind(entry->id, finished).next());
  const int count = static_cast<int>(note.integer(0));
  WAVE_CHECK(note.run());
  return count;
}

}  // namespace

Result<std::unique_ptr<Store>> SqliteStore::open(const StatePaths& paths,
                                                 const OpenOptions& options,
                                                 const OpenRules& rules) {
  WAVE_TRY(std::unique_ptr<Database> database, open_database(paths, options, rules));
  WAVE_TRY(const Mark mark, read_mark(*database));
  std::unique_ptr<SqliteStore> store(
      new SqliteStore(paths, options, newest_version(rules), std::move(database)));
  store->announced_ = mark;
  return store;
}

SqliteStore::SqliteStore(StatePaths paths, const OpenOptions& options, int schema_version,
                         std::unique_ptr<Database> database)
    : paths_(std::move(paths)),
      blobs_(paths_.blobs()),
      doorbell_(paths_.doorbell()),
      readers_(paths_.database(), options.vfs, options.read_only ? std::move(database) : nullptr) {
  if (options.read_only) return;
  writer_ = std::make_unique<Writer>(
      std::move(database), schema_version, [this](const Batch& batch) { committed(batch); },
      [this](const std::function<void()>& work) {
        return readers_.without_readers(kReadersPause, work);
      });
}

void SqliteStore::close() {
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

Status SqliteStore::write(Job::Work work, size_t bytes) {
  if (writer_ == nullptr) return fail(read_only_error());
  return writer_->submit_and_wait(std::move(work), bytes);
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
  const EncodedEvents encoded(run.run_id, run.events);
  std::vector<std::string> blobs;
  if (!run.snapshot.empty()) {
    WAVE_TRY(blobs, blobs_of_snapshot(run.snapshot));
  }
  CreatedRun created;
  WAVE_CHECK(write([&](Batch& batch) { return create(batch, run, encoded, blobs, created); },
                   encoded.bytes));
  return created;
}

Result<std::vector<std::string>> SqliteStore::blobs_of_snapshot(const std::string& sha256) const {
  auto list = blobs_.get(sha256);
  if (!list) return fail(list.error().wrapped("the run's snapshot is not stored"));
  return snapshot_blobs(*list, sha256);
}

Status SqliteStore::create(Batch& batch, const NewRun& wanted, const EncodedEvents& encoded,
                           const std::vector<std::string>& blobs, CreatedRun& created) {
  Database& database = batch.database();
  WAVE_TRY(const std::optional<NewRun> later, accepted_later(database, wanted));
  const NewRun& run = later ? *later : wanted;
  WAVE_TRY(const auto earlier, earlier_run(database, run.idempotency_key, run.request_hash));
  if (run.audit) WAVE_CHECK(write_audit(database, *run.audit));
  if (earlier) {
    created = {*earlier, true};
    return {};
  }
  WAVE_CHECK(check_id_is_free(database, run.run_id));
  RunEntry entry;
  WAVE_TRY(entry.id, insert_run(database, run, run.events.front().ts));
  WAVE_CHECK(insert_idempotency(database, entry.id, run.idempotency_key, run.request_hash));
  for (const std::string& sha256 : blobs) {
    WAVE_CHECK(put_blob_reference(database, entry.id, sha256));
    // A clean-up may have come between; from here on the reference keeps it.
    if (!blobs_.has(sha256)) {
      return fail(Code::kNotFound, fmt::format("a file of the run's snapshot is gone ({})", sha256),
                  "try again");
    }
  }
  WAVE_CHECK(batch.insert_events(run.run_id, entry,
                                 later ? EncodedEvents(run.run_id, run.events) : encoded));
  batch.merge(entry.id, run.projection);
  batch.touch(run.run_id, entry.last_seq);
  created.run_id = run.run_id;
  return {};
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
  return write([&](Batch& batch) -> Status {
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
  PruneWork work;
  const auto now = SystemClock().wall();
  WAVE_CHECK(write([&](Batch& batch) -> Status {
    WAVE_TRY(work, prune_rows(batch, run_id, now));
    return {};
  }));
  if (work.run != 0) WAVE_CHECK(prune_rest(work.run, stop));
  WAVE_CHECK(finish_earlier_prunes(stop));
  WAVE_CHECK(remove_unused(work.blobs, stop));
  return sweep_blobs(stop);
}

Status SqliteStore::prune_rest(int64_t run, const std::stop_token& stop) {
  bool done = false;
  while (!done && !stop.stop_requested()) {
    WAVE_CHECK(write([&](Batch& batch) -> Status {
      WAVE_TRY(done, prune_events(batch, run));
      return {};
    }));
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

Status SqliteStore::remove_unused(std::span<const std::string> candidates,
                                  const std::stop_token& stop) {
  for (size_t at = 0; at < candidates.size() && !stop.stop_requested(); at += kBlobsPerPiece) {
    const auto piece = candidates.subspan(at, std::min(kBlobsPerPiece, candidates.size() - at));
    WAVE_CHECK(write([&](Batch& batch) { return remove_unused_blobs(batch, blobs_, piece); }));
  }
  return {};
}

/// Finds what no run ever came to refer to, because its process died before. Looks at every blob,
/// so at most once an hour.
Status SqliteStore::sweep_blobs(const std::stop_token& stop) {
  if (stop.stop_requested()) return {};
  {
    const std::scoped_lock lock(sweep_mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (swept_ && now - *swept_ < kSweepInterval) return {};
    swept_ = now;
  }
  return remove_unused(blobs_.list(), stop);
}

// --- the log ---

void SqliteStore::append(Append request, Appended done) {
  if (writer_ == nullptr) return done(fail(read_only_error()));
  EncodedAppend append(std::move(request));
  const size_t bytes = bytes_of(append);
  writer_->submit(
      {.work = [append = std::move(append)](Batch& batch) { return batch.append(append); },
       .done = std::move(done),
       .bytes = bytes});
}

Status SqliteStore::append_and_wait(Append request) {
  if (writer_ == nullptr) return fail(read_only_error());
  const EncodedAppend append(std::move(request));
  return writer_->submit_and_wait([&](Batch& batch) { return batch.append(append); },
                                  bytes_of(append), /*reads_rows=*/false);
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
  std::vector<int64_t> epochs;
  WAVE_CHECK(write([&](Batch& batch) -> Status {
    epochs.clear();
    for (const TakeOver& run : runs) {
      WAVE_TRY(const RunEntry* const entry, batch.run(run.run_id));
      epochs.push_back(entry->owner_epoch + 1);
      WAVE_TRY(Query raise,
               batch.database().query("UPDATE run SET owner_epoch = ?2,"
                                      " crash_folds = crash_folds + ?3 WHERE id = ?1"));
      WAVE_CHECK(raise.bind(entry->id, epochs.back(), run.note_fold).run());
    }
    // Only now: what fails is rolled back as a whole.
    for (const TakeOver& run : runs) batch.forget(run.run_id);
    return {};
  }));
  return epochs;
}

Result<int> SqliteStore::note_fold(const std::string& run_id, bool finished) {
  int count = 0;
  WAVE_CHECK(write([&](Batch& batch) -> Status {
    WAVE_TRY(count, write_fold_note(batch, run_id, finished));
    return {};
  }));
  return count;
}

Status SqliteStore::note_folds_ended(std::span<const std::string> run_ids) {
  return write([&](Batch& batch) -> Status {
    for (const std::string& run_id : run_ids) {
      WAVE_CHECK(write_fold_note(batch, run_id, true));
    }
    return {};
  });
}

// --- commands ---

Result<int64_t> SqliteStore::submit_command(const Command& command) {
  int64_t id = 0;
  WAVE_CHECK(write([&](Batch& batch) -> Status {
    WAVE_TRY(id, sqlite::submit_command(batch, command));
    return command.audit ? write_audit(batch.database(), *command.audit) : Status();
  }));
  return id;
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
  WAVE_CHECK(write([&](Batch& batch) -> Status {
    WAVE_TRY(begun, sqlite::begin_delivery(batch.database(), delivery, same_body_for, keep));
    return {};
  }));
  return begun;
}

Status SqliteStore::end_delivery(int64_t id, const std::string& outcome, const std::string& run_id,
                                 const std::string& detail) {
  return write([&](Batch& batch) {
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
  WAVE_CHECK(write([&](Batch& batch) -> Status {
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
  bool foreign = false;
  {
    const std::scoped_lock lock(mark_mutex_);
    // What lies between the last announcement and this batch came from another process, and this
    // announcement would hide it.
    foreign = batch.before() != announced_;
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
