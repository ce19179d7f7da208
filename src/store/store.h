// store: the durable log and its projections behind one interface; sqlite/ implements it. What
// store says is stored is on disk. The store knows events as encoded lines and projections as rows;
// it does not fold and does not decide. conformance_test.cc is what every implementation has to
// pass.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "flow/event.h"
#include "flow/projection.h"
#include "store/access_store.h"
#include "store/webhook_store.h"

namespace wave::store {

/// How far an agent's output has been turned into events: commits together with those events.
struct SpoolMark {
  std::string step;
  int visit = 0, attempt = 0;
  std::string purpose;  // "" for the step's agent, else e.g. "contract-0"
  uint64_t out_offset = 0, err_offset = 0;
  std::string parser_state;  // what OutputParser::save gave
};

struct Append {
  std::string run_id;
  int64_t owner_epoch = 0;          // must be the run's current one, else kRunLocked
  std::vector<flow::Event> events;  // stamped; seq must follow the log's last without a hole
  std::optional<flow::Projection> projection;
  std::vector<SpoolMark> spool_marks;
  std::vector<int64_t> consumed_commands;  // ids that these events answer
};

struct NewRun {
  std::string run_id;
  std::string pipeline;
  std::string snapshot;             // sha256 of the snapshot manifest blob
  std::vector<flow::Event> events;  // run_queued, or run_forked and run_queued
  flow::Projection projection;
  std::string idempotency_key;        // empty: none
  std::string request_hash;           // of the request's body, for the key
  std::optional<AuditEntry> audit{};  // stored with it, in the same transaction (promise A6)
};

/// A created run, or the earlier one that the same idempotency key stands for.
struct CreatedRun {
  std::string run_id;
  bool replayed = false;
};

struct StoredEvent {
  uint64_t seq = 0;
  int64_t position = 0;  // commit order over all runs
  flow::Kind kind{};
  std::string run_id;
  std::string line;        // the envelope, as encode() wrote it
  std::string pipeline{};  // the run's; events_since fills it in
};

/// How far a log has come.
struct LogEnd {
  int64_t epoch = 0;    // 0; raised each time the database turned out to be an older one put back
  uint64_t last = 0;    // seq of the run's last event, or position of the last event of all runs
  uint64_t pruned = 0;  // all runs: events up to this position have been removed with their runs
};

struct EventQuery {
  uint64_t after = 0;        // seq
  size_t limit = 1000;       // at most 1000
  bool folded_only = false;  // leave out kinds that do not change the state (stream_activity)
  std::string step{};        // only this step's
};

/// Something somebody asks of a run; written by anyone, consumed by the run's owner.
struct Command {
  int64_t id = 0;
  std::string run_id;
  std::string kind;        // cancel, stop, gate
  std::string gate_id;     // kind gate
  json::object payload;    // cancel: {force, reason}; gate: {choice, text}
  std::string actor, via;  // who, and by which way: cli, api, browser
  std::string idempotency_key;
  WallTime created_at{};
  std::optional<AuditEntry> audit{};  // stored with it, in the same transaction (promise A6)
};

struct RunDetails {
  flow::RunRow row;
  std::string snapshot;
  int64_t owner_epoch = 0;
  int crash_folds = 0;  // how often an owner died while it folded this run (promise O8)
  std::vector<flow::StepRow> steps;
  std::vector<flow::GateRow> gates;
  std::vector<flow::Artifact> artifacts;
};

/// What a queue needs to know of a run that has not ended.
struct LiveRun {
  int64_t id = 0;  // grows in the order of acceptance
  std::string run_id, pipeline, actor, status, waiting_reason;
  bool resuming = false;
  int64_t owner_epoch = 0;  // 0: nobody ever owned it
  std::optional<WallTime> queued_at;
};

/// A run whose ownership is to be taken; `note_fold`: counts a fold that begins, as note_fold does.
struct TakeOver {
  std::string run_id;
  bool note_fold = false;
};

/// A run of which something was asked that nobody has answered yet.
struct Asked {
  std::string run_id;
  bool cancel = false;  // whether its end was asked for
};

struct RunFilter {
  std::vector<std::string> statuses;  // empty: all
  std::string pipeline;
  std::string tag_key, tag_value;
  bool any_tag_value = false;  // tag_value does not count
  std::string actor;
  std::string origin;  // runs made from this one; its full id
  std::string text;    // in run id and input
  std::optional<WallTime> since, until;
  std::string after;   // cursor: the last run id, or what the page before said
  size_t limit = 100;  // of a page at most 1000
  bool oldest_first = false;
};

/// A piece of a list of runs.
struct RunPage {
  std::vector<flow::RunRow> rows;
  std::string next;  // `after` of the next page; empty: there is none
};

/// How much there is of what, for metrics.
struct Figures {
  std::map<std::string, int64_t> runs;  // status -> runs that are not pruned
  int64_t events = 0;                   // ever stored; never decreases
  int64_t waiting_gates = 0;
};

/// Error::reason of a store that has to be migrated first, opened for reading only.
inline constexpr std::string_view kStoreOlder = "store_older";

struct OpenOptions {
  bool create = true;
  bool read_only = false;
  /// The caller holds the project's ServerLock for as long as the store lives: the store writes for
  /// all processes of the project, which hand their writes over.
  bool server = false;
  /// Name of an SQLite VFS for tests that make the disk forget; empty: the default.
  std::string vfs{};
};

/// Thread: any, for every method. Reads use their own connections and see the last commit.
class Store {
 public:
  virtual ~Store() = default;

  /// Writes what was given to it before, and nothing more: later writes fail with kStore. Reading
  /// goes on. Once it has returned, no callback is called any more, neither of an append nor of a
  /// subscription that was there. Not from a callback. Again: nothing.
  virtual void close() = 0;

  // --- runs ---
  /// Durable when it returns. The same idempotency key with the same hash gives the same run again;
  /// with another hash kIdempotencyMismatch.
  virtual Result<CreatedRun> create_run(const NewRun& run) = 0;
  /// The run that an idempotency key stands for; nothing when it was not used yet.
  /// kIdempotencyMismatch when it was used for a request with another hash.
  virtual Result<std::optional<std::string>> run_of_key(const std::string& key,
                                                        const std::string& request_hash) = 0;
  /// Lets a key stand for a run that is there already. Durable when it returns; what stands for
  /// that request already stays. Errors as above.
  virtual Status keep_key(const std::string& key, const std::string& request_hash,
                          const std::string& run_id) = 0;
  virtual Result<RunDetails> run(const std::string& run_id) = 0;
  /// By when they were accepted; newest first unless the filter says otherwise. Costs a bounded
  /// amount of work: where few runs pass the filter, a page may have fewer rows than its limit, or
  /// none, and yet not be the last. kNotFound: `after` is no run's.
  virtual Result<RunPage> run_page(const RunFilter& filter) = 0;
  /// As many pages as it takes to have `limit` rows, or all there are.
  Result<std::vector<flow::RunRow>> list_runs(RunFilter filter);
  /// Runs whose status is not terminal, oldest accepted first; only those with an id above `after`.
  virtual Result<std::vector<LiveRun>> live_runs(int64_t after = 0) = 0;
  /// The one run whose id starts with `prefix`: kNotFound, or kUsage naming the candidates.
  virtual Result<std::string> resolve_run(const std::string& prefix) = 0;
  /// Removes a terminal run's rows, keeping a tombstone that answers kPruned. Asked to stop, it
  /// leaves events to the next call for any run; the run itself is gone all the same.
  virtual Status prune_run(const std::string& run_id, const std::stop_token& stop) = 0;
  Status prune_run(const std::string& run_id) { return prune_run(run_id, {}); }
  /// Finishes what pruning left, and returns the pages it freed to the file system, in pieces that
  /// hold nobody up, until asked to stop. Pages stay where the database was made by an older wave,
  /// until compact().
  virtual Status give_back_space(const std::stop_token& stop) = 0;
  /// Bytes of the database that hold nothing.
  virtual Result<uint64_t> free_bytes() = 0;
  /// Rewrites the database without its free pages, so that give_back_space works from then on.
  /// Blocks all writers for as long as it takes. kConflict beside a server.
  virtual Status compact() = 0;

  // --- the log ---
  using Appended = std::function<void(Status)>;
  /// Queues; `done` is called on the writer's thread once it is on disk, or has failed as a whole.
  /// Appends of one run keep their order. What arrives together shares one transaction and one
  /// fsync.
  virtual void append(Append request, Appended done) = 0;
  /// The same, waiting.
  virtual Status append_and_wait(Append request) = 0;
  virtual Result<std::vector<StoredEvent>> events(const std::string& run_id,
                                                  const EventQuery& query) = 0;
  /// Over all runs in commit order, after `position`.
  virtual Result<std::vector<StoredEvent>> events_since(int64_t position, size_t limit) = 0;
  virtual Result<std::vector<SpoolMark>> spool_marks(const std::string& run_id) = 0;

  // --- ownership ---
  /// Raises the run's owner epoch and returns it: earlier owners' appends fail from here on. The
  /// caller holds the run's lock file.
  virtual Result<int64_t> take_ownership(const std::string& run_id) = 0;
  /// Counts a fold that begins and (`finished`) one that ended well, for the quarantine. Returns
  /// the count after the call: folds in a row that began and did not finish, this one included; a
  /// fold that ends well sets it back to 0.
  virtual Result<int> note_fold(const std::string& run_id, bool finished) = 0;

  /// The same for many runs in one transaction: all or none. The epochs are in the order of `runs`.
  virtual Result<std::vector<int64_t>> take_ownership_of(std::span<const TakeOver> runs);
  virtual Status note_folds_ended(std::span<const std::string> run_ids);

  // --- commands ---
  /// Durable when it returns; rings the doorbell. For gates the first command wins: a later one
  /// gets kGateDecided, unless its idempotency key is that of the standing one.
  virtual Result<int64_t> submit_command(const Command& command) = 0;
  virtual Result<std::vector<Command>> pending_commands(const std::string& run_id) = 0;
  /// Live runs with pending commands. Cheap.
  virtual Result<std::vector<Asked>> asked_runs() = 0;
  /// The command that decided a gate, if there is one.
  virtual Result<std::optional<Command>> gate_command(const std::string& run_id,
                                                      const std::string& gate_id) = 0;
  /// Every gate that waits, oldest first, with its run id.
  virtual Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() = 0;

  /// Sessions, revoked tokens and the audit log; null: this store keeps none. Lives as long as the
  /// store.
  virtual AccessStore* access() { return nullptr; }
  /// One consistent moment. Counts rows by an index: milliseconds with 100,000 runs.
  virtual Result<Figures> figures();
  /// Why nothing can be written just now: the disk, or who keeps the database locked. Costs
  /// nothing.
  virtual std::optional<Error> write_trouble() { return std::nullopt; }

  /// Deliveries to webhooks; null: this store keeps none. Lives as long as the store.
  virtual WebhookStore* webhooks() { return nullptr; }

  // --- following ---
  /// Calls `changed` after every commit of this process, and when another process rang the doorbell
  /// (then with an empty run id: look at what you follow). On a thread of the store's; return
  /// quickly.
  using Changed = std::function<void(const std::string& run_id, uint64_t last_seq)>;
  virtual uint64_t subscribe(Changed changed) = 0;
  virtual void unsubscribe(uint64_t subscription) = 0;
  /// The end of a run's log (kNotFound, kPruned), or with an empty id of the log over all runs.
  virtual Result<LogEnd> log_end(const std::string& run_id);
  /// Clients keep cursors beyond the life of this process. Notes, outside of the database, up to
  /// where the log over all runs has been shown; not durable.
  virtual void note_shown(uint64_t position);
  /// Before anything is shown: raises the epoch when the database is behind what was noted, because
  /// somebody has put a backup back.
  virtual Status check_epoch();

  // --- blobs: content by hash, in files beside the database ---
  /// Stores the bytes durably and returns their sha256.
  virtual Result<std::string> put_blob(std::string_view bytes) = 0;
  /// Stores several at once, which costs fewer syncs; the hashes are in the order of the contents.
  virtual Result<std::vector<std::string>> put_blobs(std::span<const std::string_view> contents);
  /// Stores a file's content the same way.
  virtual Result<std::string> put_blob_file(const std::filesystem::path& path) = 0;
  virtual Result<std::string> blob(const std::string& sha256) = 0;
  [[nodiscard]] virtual std::filesystem::path blob_path(const std::string& sha256) const = 0;
};

/// The state folder of a project: where everything of wave's lies.
struct StatePaths {
  std::filesystem::path project;  // the project root
  /// Absolute; empty: wave.db in the project's .agents/state. Everything else of the state lies
  /// beside it.
  std::filesystem::path database_file{};

  [[nodiscard]] std::filesystem::path state() const {
    return database_file.empty() ? project / ".agents/state" : database_file.parent_path();
  }
  [[nodiscard]] std::filesystem::path database() const {
    return database_file.empty() ? state() / "wave.db" : database_file;
  }
  [[nodiscard]] std::filesystem::path doorbell() const { return state() / "doorbell"; }
  /// How far event streams have shown the log: finds out backups that were put back.
  [[nodiscard]] std::filesystem::path shown() const { return state() / "shown"; }
  /// The keys that the address of server.auth.jwt_keys last answered with.
  [[nodiscard]] std::filesystem::path token_keys() const { return state() / "token-keys"; }
  [[nodiscard]] std::filesystem::path blobs() const { return state() / "blobs"; }
  [[nodiscard]] std::filesystem::path run(const std::string& run_id) const {
    return state() / "runs" / run_id;
  }
  [[nodiscard]] std::filesystem::path owner_lock(const std::string& run_id) const {
    return run(run_id) / "owner.lock";
  }
  /// The folder of one attempt's process: out, err, exit, meta.
  [[nodiscard]] std::filesystem::path attempt(const std::string& run_id, const std::string& step,
                                              int visit, int attempt_number,
                                              const std::string& purpose = {}) const;
};

/// Opens the SQLite store of a project, creating and migrating as needed.
Result<std::unique_ptr<Store>> open_store(const StatePaths& paths, const OpenOptions& options = {});

}  // namespace wave::store
