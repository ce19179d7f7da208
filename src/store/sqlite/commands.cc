#include "store/sqlite/commands.h"

#include <fmt/core.h>

#include "store/sqlite/rows.h"
#include "store/sqlite/run_queries.h"

namespace wave::store::sqlite {
namespace {

constexpr std::string_view kGate = "gate";

constexpr std::string_view kSelectCommand =
    "SELECT command.id, run_id, kind, gate_id, payload, command.actor, via,"
    " ifnull(idempotency_key, ''), created_at FROM command JOIN run ON run.id = command.run ";

Result<Command> read_command(const Query& row) {
  Command command;
  command.id = row.integer(0);
  command.run_id = row.string(1);
  command.kind = row.string(2);
  command.gate_id = row.string(3);
  WAVE_TRY(json::value payload, parse_json(row.text(4)));
  if (payload.is_object()) command.payload = std::move(payload.get_object());
  command.actor = row.string(5);
  command.via = row.string(6);
  command.idempotency_key = row.string(7);
  command.created_at = row.time(8);
  return command;
}

Result<std::optional<Command>> standing_gate_command(Database& database, int64_t run,
                                                     const std::string& gate_id) {
  WAVE_TRY(Query query,
           database.query(
               fmt::format("{}WHERE run = ?1 AND gate_id = ?2 AND kind = 'gate'", kSelectCommand)));
  WAVE_TRY(const bool row, query.bind(run, gate_id).next());
  if (!row) return std::nullopt;
  WAVE_TRY(Command command, read_command(query));
  return command;
}

Result<std::optional<Command>> command_with_key(Database& database, int64_t run,
                                                const std::string& key) {
  if (key.empty()) return std::nullopt;
  WAVE_TRY(Query query, database.query(fmt::format("{}WHERE run = ?1 AND idempotency_key = ?2",
                                                   kSelectCommand)));
  WAVE_TRY(const bool row, query.bind(run, key).next());
  if (!row) return std::nullopt;
  WAVE_TRY(Command command, read_command(query));
  return command;
}

Error decided(const std::string& gate_id, std::string_view choice, std::string_view actor) {
  return {Code::kGateDecided,
          fmt::format("gate {} has been decided already: {}{}", gate_id,
                      choice.empty() ? "by its free text" : fmt::format("\"{}\"", choice),
                      actor.empty() ? "" : fmt::format(" by {}", actor)),
          "the first decision stands"};
}

/// Whether a gate can still be decided, by its record.
Status check_gate(Database& database, int64_t run, const std::string& gate_id, bool run_is_over) {
  WAVE_TRY(Query query, database.query("SELECT resolved, choice, decided_by, outcome FROM gate"
                                       " WHERE run = ?1 AND gate_id = ?2"));
  WAVE_TRY(const bool row, query.bind(run, gate_id).next());
  if (row && query.integer(0) != 0) {
    const std::string_view choice = query.text(1).empty() ? query.text(3) : query.text(1);
    return fail(decided(gate_id, choice, query.text(2)));
  }
  if (row || run_is_over) return {};
  return fail(Code::kNotFound, fmt::format("the run has no gate {}", gate_id),
              "`wave gate` lists the gates that wait");
}

Result<int64_t> insert_command(Database& database, int64_t run, const Command& command) {
  WAVE_TRY(Query insert,
           database.query("INSERT INTO command(run, kind, gate_id, payload, actor, via,"
                          " idempotency_key, created_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
  const std::string payload = dump_json(command.payload);
  insert.bind(run, command.kind, command.gate_id, payload, command.actor, command.via, nullptr,
              command.created_at);
  if (!command.idempotency_key.empty()) insert.bind_at(7, command.idempotency_key);
  WAVE_CHECK(insert.run());
  return sqlite3_last_insert_rowid(database.handle());
}

}  // namespace

Result<int64_t> submit_command(Batch& batch, const Command& command) {
  Database& database = batch.database();
  WAVE_TRY(const RunEntry* const run, batch.run(command.run_id));
  WAVE_TRY(const auto repeated, command_with_key(database, run->id, command.idempotency_key));
  if (repeated) {
    const bool same = repeated->kind == command.kind && repeated->gate_id == command.gate_id &&
                      repeated->payload == command.payload;
    if (same) return repeated->id;
    return fail(Code::kIdempotencyMismatch, "the same idempotency key was used for something else",
                "use a new key for each command");
  }
  if (command.kind == kGate) {
    WAVE_TRY(const auto standing, standing_gate_command(database, run->id, command.gate_id));
    if (standing) {
      return fail(
          decided(command.gate_id, get_string(standing->payload, "choice"), standing->actor));
    }
    WAVE_CHECK(check_gate(database, run->id, command.gate_id, run->terminal));
  }
  if (run->terminal) {
    return fail(Code::kConflict, fmt::format("run {} is over", command.run_id),
                "`wave status` shows how it ended");
  }
  WAVE_TRY(const int64_t id, insert_command(database, run->id, command));
  batch.note_command(id);
  batch.touch(command.run_id, run->last_seq);
  return id;
}

Result<std::vector<Command>> pending_commands(Database& database, const std::string& run_id) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  WAVE_TRY(const int64_t run, find_run_id(database, run_id));
  WAVE_TRY(Query query,
           database.query(fmt::format("{}WHERE run = ?1 AND consumed = 0 ORDER BY command.id",
                                      kSelectCommand)));
  query.bind(run);
  std::vector<Command> commands;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return commands;
    WAVE_TRY(Command command, read_command(query));
    commands.push_back(std::move(command));
  }
}

Result<std::vector<Asked>> asked_runs(Database& database) {
  WAVE_TRY(Query query, database.query("SELECT run_id, max(kind = 'cancel')"
                                       " FROM command INDEXED BY command_unanswered"
                                       " JOIN run ON run.id = command.run"
                                       " WHERE consumed = 0 GROUP BY command.run"));
  query.restart();
  std::vector<Asked> asked;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return asked;
    asked.push_back({.run_id = query.string(0), .cancel = query.integer(1) != 0});
  }
}

Result<std::optional<Command>> gate_command(Database& database, const std::string& run_id,
                                            const std::string& gate_id) {
  WAVE_TRY(const ReadTransaction transaction, ReadTransaction::begin(database));
  WAVE_TRY(const int64_t run, find_run_id(database, run_id));
  return standing_gate_command(database, run, gate_id);
}

/// A gate with a standing decision is not offered again, even before the owner has acted on it
/// (promise G7).
Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates(Database& database) {
  WAVE_TRY(Query query,
           database.query(fmt::format(
               "SELECT run_id, {} FROM gate INDEXED BY gate_waiting JOIN run ON run.id = gate.run"
               " WHERE waiting = 1 AND NOT EXISTS (SELECT 1 FROM command WHERE command.run ="
               " gate.run AND command.gate_id = gate.gate_id AND command.kind = 'gate')"
               " ORDER BY opened_at, gate.gate_id",
               kGateColumns)));
  query.restart();
  std::vector<std::pair<std::string, flow::GateRow>> gates;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return gates;
    WAVE_TRY(flow::GateRow gate, read_gate(query, 1));
    gates.emplace_back(query.string(0), std::move(gate));
  }
}

}  // namespace wave::store::sqlite
