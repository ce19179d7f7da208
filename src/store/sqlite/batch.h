// The writer's open transaction: what arrived together and is committed together.
#pragma once

#include <compare>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/sqlite/database.h"
#include "store/store.h"

namespace wave::store::sqlite {

/// How far the database had come. Both numbers only grow, whoever writes and whatever is pruned.
struct Mark {
  int64_t position = 0;  // of the last event
  int64_t command = 0;   // id of the last command
  friend bool operator==(const Mark&, const Mark&) = default;
};
Result<Mark> read_mark(Database& database);

/// What of an event is written, made on the caller's thread so that the writer's has little to do.
struct EncodedEvent {
  uint64_t seq = 0;
  const flow::KindInfo* kind = nullptr;
  std::string step;
  std::string line;
};
struct EncodedEvents {
  std::vector<EncodedEvent> events;
  bool foreign = false;  // one of them names another run
  size_t bytes = 0;

  EncodedEvents() = default;
  EncodedEvents(const std::string& run_id, std::span<const flow::Event> stamped);
};

/// An Append whose `events` are encoded and gone.
struct EncodedAppend {
  Append request;
  EncodedEvents encoded;

  EncodedAppend() = default;
  explicit EncodedAppend(Append append)
      : request(std::move(append)), encoded(request.run_id, request.events) {
    request.events = {};
  }
};

/// What the batch knows of a run.
struct RunEntry {
  int64_t id = 0;
  int64_t owner_epoch = 0;
  uint64_t last_seq = 0;
  bool terminal = false;
};

/// Owned by the writer's thread, for one transaction. An operation that fails is rolled back to its
/// savepoint by the writer; each one changes the members here only once its statements have
/// succeeded.
class Batch {
 public:
  explicit Batch(Database& database, int schema_version)
      : database_(database), schema_version_(schema_version) {}

  /// Right after BEGIN. kStoreNewer when another process has migrated the database meanwhile.
  Status begin();
  /// Right before COMMIT, and before anything that reads rows: writes the merged projections.
  Status flush();

  Status append(const EncodedAppend& append);
  /// Writes a run's events, which must continue its log without a hole. `entry.last_seq` moves on.
  Result<size_t> already_stored(const RunEntry& entry, const EncodedEvents& encoded);
  Status insert_events(const std::string& run_id, RunEntry& entry, const EncodedEvents& encoded,
                       size_t from = 0);
  /// Merges rows, to be written by flush.
  void merge(int64_t run, const flow::Projection& projection);

  /// kNotFound or kPruned when it is not there. The pointer is valid until forget.
  Result<RunEntry*> run(const std::string& run_id);
  /// Its row was changed by other means: read it again.
  void forget(const std::string& run_id) { runs_.erase(run_id); }
  /// To be told to subscribers.
  void touch(const std::string& run_id, uint64_t last_seq) { touched_[run_id] = last_seq; }
  void note_command(int64_t id) { after_.command = std::max(after_.command, id); }

  /// Whether the job at work may have been stored before (docs/decisions/0021).
  void set_asked_before(bool asked_before) { asked_before_ = asked_before; }
  [[nodiscard]] bool asked_before() const { return asked_before_; }

  [[nodiscard]] Database& database() { return database_; }
  [[nodiscard]] const Mark& before() const { return before_; }
  [[nodiscard]] const Mark& after() const { return after_; }
  [[nodiscard]] const std::map<std::string, uint64_t>& touched() const { return touched_; }

 private:
  struct Merged {
    flow::RunRow run;
    std::map<std::string, flow::StepRow> steps;
    std::map<std::string, flow::GateRow> gates;
    std::vector<flow::Artifact> artifacts;  // in the order of their making
  };
  Status write(int64_t run, const Merged& merged);
  Status consume_commands(int64_t run, const std::vector<int64_t>& ids);

  Database& database_;
  const int schema_version_;
  Mark before_, after_;
  bool asked_before_ = false;
  std::unordered_map<std::string, RunEntry> runs_;
  std::map<int64_t, Merged> merged_;
  std::map<std::string, uint64_t> touched_;
};

/// The error for a run that is not in the table run: kPruned or kNotFound.
Error missing_run(Database& database, const std::string& run_id);

}  // namespace wave::store::sqlite
