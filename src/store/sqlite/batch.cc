#include "store/sqlite/batch.h"

#include <fmt/core.h>

#include "store/sqlite/rows.h"

namespace wave::store::sqlite {
namespace {

Error epoch_passed(const std::string& run_id) {
  return {Code::kRunLocked, fmt::format("run {} has been taken over by another process", run_id),
          "follow it with `wave logs --follow`"};
}

/// Only an owner's bug leads here: the log is kept as it is.
Error hole(const std::string& run_id, uint64_t last, uint64_t next) {
  return {Code::kInternal,
          fmt::format("run {}: event {} cannot follow event {}", run_id, next, last)};
}

}  // namespace

Result<Mark> read_mark(Database& database) {
  WAVE_TRY(Query query, database.query("SELECT max((SELECT ifnull(max(position), 0) FROM event),"
                                       " (SELECT value FROM meta WHERE key = 'position_floor')),"
                                       " (SELECT ifnull(max(seq), 0) FROM sqlite_sequence"
                                       " WHERE name = 'command')"));
  WAVE_CHECK(query.next());
  return Mark{query.integer(0), query.integer(1)};
}

Error missing_run(Database& database, const std::string& run_id) {
  auto query = database.query("SELECT 1 FROM pruned WHERE run_id = ?1");
  if (!query) return query.error();
  const auto row = query->bind(run_id).next();
  if (!row) return row.error();
  if (*row) {
    return {Code::kPruned, fmt::format("run {} has been removed by retention", run_id),
            "see runtime.retention in wave.yaml"};
  }
  return {Code::kNotFound, fmt::format("there is no run {}", run_id),
          "`wave list runs` shows the runs there are"};
}

EncodedEvents::EncodedEvents(const std::string& run_id, std::span<const flow::Event> stamped) {
  events.reserve(stamped.size());
  for (const flow::Event& event : stamped) {
    foreign = foreign || event.run_id != run_id;
    events.push_back({.seq = event.seq,
                      .kind = &flow::info(event.kind),
                      .step = event.step,
                      .line = flow::encode(event)});
    bytes += events.back().line.size();
  }
}

Status Batch::begin() {
  WAVE_TRY(const int64_t version, database_.integer("PRAGMA user_version"));
  if (version != schema_version_) {
    return fail(Code::kStoreNewer, "another process has migrated the database meanwhile",
                "end this process and use the newer wave");
  }
  WAVE_TRY(before_, read_mark(database_));
  after_ = before_;
  return {};
}

Result<RunEntry*> Batch::run(const std::string& run_id) {
  if (const auto known = runs_.find(run_id); known != runs_.end()) return &known->second;
  WAVE_TRY(Query query, database_.query("SELECT id, owner_epoch, status,"
                                        " (SELECT max(seq) FROM event WHERE event.run = run.id)"
                                        " FROM run WHERE run_id = ?1"));
  WAVE_TRY(const bool row, query.bind(run_id).next());
  if (!row) return fail(missing_run(database_, run_id));
  const RunEntry entry{.id = query.integer(0),
                       .owner_epoch = query.integer(1),
                       .last_seq = static_cast<uint64_t>(query.integer(3)),
                       .terminal = is_terminal_status(query.text(2))};
  return &runs_.emplace(run_id, entry).first->second;
}

// A commit can succeed and still be reported as failed. Its owner then sends the same events again:
// those that stand in the log to the letter have been stored, and are passed over.
Result<size_t> Batch::already_stored(const RunEntry& entry, const EncodedEvents& encoded) {
  size_t stored = 0;
  for (; stored < encoded.events.size() && encoded.events[stored].seq <= entry.last_seq; ++stored) {
    WAVE_TRY(Query query, database_.query("SELECT line FROM event WHERE run = ?1 AND seq = ?2"));
    WAVE_TRY(const bool row, query.bind(entry.id, encoded.events[stored].seq).next());
    if (!row || query.text(0) != encoded.events[stored].line) break;
  }
  return stored;
}

Status Batch::insert_events(const std::string& run_id, RunEntry& entry,
                            const EncodedEvents& encoded, size_t from) {
  if (from == encoded.events.size()) return {};
  WAVE_TRY(Query insert,
           database_.query("INSERT INTO event(position, run, seq, folded, kind, step, line)"
                           " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  if (encoded.foreign) {
    return fail(Code::kInternal, fmt::format("run {} is handed another run's events", run_id));
  }
  uint64_t last = entry.last_seq;
  int64_t position = after_.position;
  for (size_t i = from; i < encoded.events.size(); ++i) {
    const EncodedEvent& event = encoded.events[i];
    if (event.seq != last + 1) return fail(hole(run_id, last, event.seq));
    last = event.seq;
    insert.bind(++position, entry.id, event.seq, event.kind->folded, event.kind->name, nullptr,
                event.line);
    if (!event.step.empty()) insert.bind_at(6, event.step);
    WAVE_CHECK(insert.run());
  }
  entry.last_seq = last;
  after_.position = position;
  return {};
}

Status Batch::append(const EncodedAppend& append) {
  const Append& request = append.request;
  WAVE_TRY(RunEntry* const entry, run(request.run_id));
  if (entry->owner_epoch != request.owner_epoch) return fail(epoch_passed(request.run_id));
  WAVE_TRY(const size_t stored, already_stored(*entry, append.encoded));
  const bool is_repeated = stored > 0 && stored == append.encoded.events.size();
  const bool changes_run = stored < append.encoded.events.size() || request.projection;
  if (entry->terminal && changes_run && !is_repeated) {
    return fail(Code::kConflict,
                fmt::format("run {} is over; nothing can be added", request.run_id));
  }
  RunEntry moved = *entry;
  const Mark mark = after_;
  const auto write_all = [&]() -> Status {
    WAVE_CHECK(insert_events(request.run_id, moved, append.encoded, stored));
    for (const SpoolMark& spool : request.spool_marks) {
      WAVE_CHECK(put_spool_mark(database_, moved.id, spool));
    }
    return consume_commands(moved.id, request.consumed_commands);
  };
  if (auto written = write_all(); !written) {
    after_ = mark;
    return written;
  }
  if (request.projection && !entry->terminal) {
    merge(moved.id, *request.projection);
    moved.terminal = is_terminal_status(request.projection->run.status);
  }
  *entry = moved;
  touch(request.run_id, moved.last_seq);
  return {};
}

Status Batch::consume_commands(int64_t run, const std::vector<int64_t>& ids) {
  for (const int64_t id : ids) {
    WAVE_TRY(Query consume,
             database_.query("UPDATE command SET consumed = 1 WHERE id = ?1 AND run = ?2"));
    WAVE_CHECK(consume.bind(id, run).run());
  }
  return {};
}

void Batch::merge(int64_t run, const flow::Projection& projection) {
  Merged& merged = merged_[run];
  merged.run = projection.run;
  for (const flow::StepRow& step : projection.steps) merged.steps[step.step] = step;
  for (const flow::GateRow& gate : projection.gates) merged.gates[gate.gate_id] = gate;
  merged.artifacts.insert(merged.artifacts.end(), projection.artifacts.begin(),
                          projection.artifacts.end());
}

Status Batch::flush() {
  for (const auto& [run, merged] : merged_) WAVE_CHECK(write(run, merged));
  merged_.clear();
  return {};
}

Status Batch::write(int64_t run, const Merged& merged) {
  for (const auto& [id, step] : merged.steps) WAVE_CHECK(put_step(database_, run, step));
  const bool over = is_terminal_status(merged.run.status);
  for (const auto& [id, gate] : merged.gates) WAVE_CHECK(put_gate(database_, run, gate, over));
  for (const flow::Artifact& artifact : merged.artifacts) {
    WAVE_CHECK(put_artifact(database_, run, artifact));
  }
  return update_run(database_, run, merged.run);
}

}  // namespace wave::store::sqlite
