#include "store/sqlite/rows.h"

#include <fmt/core.h>

namespace wave::store::sqlite {
namespace {

Result<json::value> stored_json(std::string_view text, std::string_view what) {
  auto value = parse_json(text);
  if (value) return value;
  return fail(Code::kStore,
              fmt::format("{} in the database is damaged: {}", what, value.error().message),
              "restore wave.db from a backup");
}

Result<json::object> stored_object(std::string_view text, std::string_view what) {
  if (text == "{}") return json::object();
  WAVE_TRY(json::value value, stored_json(text, what));
  return value.is_object() ? std::move(value.get_object()) : json::object();
}

Result<json::array> stored_array(std::string_view text, std::string_view what) {
  if (text == "[]") return json::array();
  WAVE_TRY(json::value value, stored_json(text, what));
  return value.is_array() ? std::move(value.get_array()) : json::array();
}

flow::Usage read_usage(const Query& row, int first) {
  return {.tokens_in = row.integer(first),
          .tokens_out = row.integer(first + 1),
          .tokens_cache_read = row.integer(first + 2),
          .tokens_cache_write = row.integer(first + 3),
          .cost_usd = row.real(first + 4)};
}

/// Collects the rows of a query by `read`, which gives a Result.
template <typename Row, typename Read>
Result<std::vector<Row>> collect(Query& query, Read read) {
  std::vector<Row> rows;
  while (true) {
    WAVE_TRY(const bool more, query.next());
    if (!more) return rows;
    WAVE_TRY(Row row, read(query));
    rows.push_back(std::move(row));
  }
}

Result<flow::StepRow> read_step(const Query& row) {
  flow::StepRow step;
  step.index = static_cast<int>(row.integer(0));
  step.step = row.string(1);
  step.status = row.string(2);
  step.persona = row.string(3);
  step.adapter = row.string(4);
  step.model = row.string(5);
  step.error_code = row.string(6);
  step.error_message = row.string(7);
  step.workspace = row.string(8);
  step.reason = row.string(9);
  step.visit = static_cast<int>(row.integer(10));
  step.attempt = static_cast<int>(row.integer(11));
  step.interruptions = static_cast<int>(row.integer(12));
  step.started_at = row.optional_time(13);
  step.finished_at = row.optional_time(14);
  step.usage = read_usage(row, 15);
  return step;
}

}  // namespace

bool is_terminal_status(std::string_view status) {
  const auto known = flow::run_status_from_name(status);
  return known && flow::is_terminal(*known);
}

Result<StoredRun> read_run(const Query& row) {
  StoredRun stored;
  RunDetails& details = stored.details;
  flow::RunRow& run = details.row;
  stored.id = row.integer(0);
  run.run_id = row.string(1);
  run.pipeline = row.string(2);
  run.status = row.string(3);
  run.actor = row.string(4);
  run.origin_run_id = row.string(5);
  details.snapshot = row.string(6);
  details.owner_epoch = row.integer(7);
  details.crash_folds = static_cast<int>(row.integer(8));
  run.resuming = row.integer(9) != 0;
  run.waiting_reason = row.string(10);
  run.failed_step = row.string(11);
  run.error_code = row.string(12);
  run.error_message = row.string(13);
  run.queued_at = row.optional_time(14);
  run.started_at = row.optional_time(15);
  run.finished_at = row.optional_time(16);
  run.updated_at = row.time(17);
  run.steps_total = static_cast<int>(row.integer(18));
  run.steps_done = static_cast<int>(row.integer(19));
  run.usage = read_usage(row, 20);
  run.input = row.string(25);
  WAVE_TRY(run.tags, stored_object(row.text(26), "a run's tags"));
  run.last_seq = static_cast<uint64_t>(row.integer(27));
  stored.accepted_at = row.time(28);
  return stored;
}

Result<std::vector<flow::StepRow>> read_steps(Database& database, int64_t run) {
  WAVE_TRY(Query query,
           database.query("SELECT position, step, status, persona, adapter, model, error_code,"
                          " error_message, workspace, reason, visit, attempt, interruptions,"
                          " started_at, finished_at, tokens_in, tokens_out, tokens_cache_read,"
                          " tokens_cache_write, cost_usd FROM step WHERE run = ?1"
                          " ORDER BY position, step"));
  return collect<flow::StepRow>(query.bind(run), read_step);
}

Result<flow::GateRow> read_gate(const Query& row, int first) {
  flow::GateRow gate;
  int at = first;
  gate.gate_id = row.string(at++);
  gate.step = row.string(at++);
  gate.type = row.string(at++);
  gate.prompt = row.string(at++);
  WAVE_TRY(gate.choices, stored_array(row.text(at++), "a gate's choices"));
  gate.freeform = row.integer(at++) != 0;
  gate.default_choice = row.string(at++);
  gate.resolved = row.integer(at++) != 0;
  gate.outcome = row.string(at++);
  gate.choice = row.string(at++);
  gate.text = row.string(at++);
  gate.by = row.string(at++);
  gate.via = row.string(at++);
  gate.opened_at = row.optional_time(at++);
  gate.deadline = row.optional_time(at++);
  gate.decided_at = row.optional_time(at++);
  WAVE_TRY(const json::array approvers, stored_array(row.text(at++), "a gate's approvers"));
  for (const json::value& approver : approvers) {
    if (approver.is_string()) gate.approvers.emplace_back(approver.get_string());
  }
  gate.forbid_self_approval = row.integer(at++) != 0;
  return gate;
}

Result<std::vector<flow::GateRow>> read_gates(Database& database, int64_t run) {
  WAVE_TRY(Query query,
           database.query(fmt::format(
               "SELECT {} FROM gate WHERE run = ?1 ORDER BY opened_at, gate_id", kGateColumns)));
  return collect<flow::GateRow>(query.bind(run),
                                [](const Query& row) { return read_gate(row, 0); });
}

Result<std::vector<flow::Artifact>> read_artifacts(Database& database, int64_t run) {
  WAVE_TRY(Query query, database.query("SELECT step, name, type, path, sha256, size FROM artifact"
                                       " WHERE run = ?1 ORDER BY id"));
  return collect<flow::Artifact>(query.bind(run), [](const Query& row) -> Result<flow::Artifact> {
    return flow::Artifact{.step = row.string(0),
                          .name = row.string(1),
                          .type = row.string(2),
                          .path = row.string(3),
                          .sha256 = row.string(4),
                          .size = row.integer(5)};
  });
}

Result<std::vector<SpoolMark>> read_spool_marks(Database& database, int64_t run) {
  WAVE_TRY(Query query,
           database.query("SELECT step, visit, attempt, purpose, out_offset, err_offset,"
                          " parser_state FROM spool_mark WHERE run = ?1"));
  return collect<SpoolMark>(query.bind(run), [](const Query& row) -> Result<SpoolMark> {
    return SpoolMark{.step = row.string(0),
                     .visit = static_cast<int>(row.integer(1)),
                     .attempt = static_cast<int>(row.integer(2)),
                     .purpose = row.string(3),
                     .out_offset = static_cast<uint64_t>(row.integer(4)),
                     .err_offset = static_cast<uint64_t>(row.integer(5)),
                     .parser_state = row.string(6)};
  });
}

Result<int64_t> insert_run(Database& database, const NewRun& run, WallTime accepted_at) {
  const flow::RunRow& row = run.projection.run;
  WAVE_TRY(Query insert,
           database.query("INSERT INTO run(run_id, accepted_at, pipeline, actor, origin_run_id,"
                          " snapshot, status, resuming, waiting_reason, failed_step, error_code,"
                          " error_message, updated_at, steps_total, steps_done, tokens_in,"
                          " tokens_out, tokens_cache_read, tokens_cache_write, cost_usd)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, '', '', '', '', ?2,"
                          " 0, 0, 0, 0, 0, 0, 0)"));
  WAVE_CHECK(insert
                 .bind(run.run_id, accepted_at, run.pipeline, row.actor, row.origin_run_id,
                       run.snapshot, row.status)
                 .run());
  const int64_t id = sqlite3_last_insert_rowid(database.handle());
  WAVE_TRY(Query start,
           database.query("INSERT INTO run_start(run, input, tags) VALUES(?1, ?2, ?3)"));
  WAVE_CHECK(start.bind(id, row.input, dump_json(row.tags)).run());
  WAVE_TRY(Query tag, database.query("INSERT INTO run_tag(run, key, value) VALUES(?1, ?2, ?3)"));
  for (const auto& [key, value] : row.tags) {
    WAVE_CHECK(tag.bind(id, std::string_view(key), json_to_text(value)).run());
  }
  return id;
}

Status update_run(Database& database, int64_t run, const flow::RunRow& row) {
  WAVE_TRY(Query update,
           database.query("UPDATE run SET resuming = ?2, waiting_reason = ?3, failed_step = ?4,"
                          " error_code = ?5, error_message = ?6, queued_at = ?7, started_at = ?8,"
                          " finished_at = ?9, updated_at = ?10, steps_total = ?11,"
                          " steps_done = ?12, tokens_in = ?13, tokens_out = ?14,"
                          " tokens_cache_read = ?15, tokens_cache_write = ?16, cost_usd = ?17"
                          " WHERE id = ?1"));
  const flow::Usage& usage = row.usage;
  WAVE_CHECK(update
                 .bind(run, row.resuming, row.waiting_reason, row.failed_step, row.error_code,
                       row.error_message, row.queued_at, row.started_at, row.finished_at,
                       row.updated_at, row.steps_total, row.steps_done, usage.tokens_in,
                       usage.tokens_out, usage.tokens_cache_read, usage.tokens_cache_write,
                       usage.cost_usd)
                 .run());
  // Apart: status is in two indexes, which SQLite rewrites whenever it is named in SET.
  WAVE_TRY(Query status,
           database.query("UPDATE run SET status = ?2 WHERE id = ?1 AND status <> ?2"));
  WAVE_CHECK(status.bind(run, row.status).run());
  if (!is_terminal_status(row.status)) return {};
  WAVE_TRY(Query gates,
           database.query("UPDATE gate SET waiting = 0 WHERE run = ?1 AND waiting = 1"));
  return gates.bind(run).run();
}

Status put_step(Database& database, int64_t run, const flow::StepRow& row) {
  WAVE_TRY(Query put,
           database.query("INSERT OR REPLACE INTO step(run, step, position, status, persona,"
                          " adapter, model, error_code, error_message, workspace, reason, visit,"
                          " attempt, interruptions, started_at, finished_at, tokens_in,"
                          " tokens_out, tokens_cache_read, tokens_cache_write, cost_usd)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
                          " ?15, ?16, ?17, ?18, ?19, ?20, ?21)"));
  const flow::Usage& usage = row.usage;
  return put
      .bind(run, row.step, row.index, row.status, row.persona, row.adapter, row.model,
            row.error_code, row.error_message, row.workspace, row.reason, row.visit, row.attempt,
            row.interruptions, row.started_at, row.finished_at, usage.tokens_in, usage.tokens_out,
            usage.tokens_cache_read, usage.tokens_cache_write, usage.cost_usd)
      .run();
}

Status put_gate(Database& database, int64_t run, const flow::GateRow& row, bool run_is_over) {
  WAVE_TRY(Query put,
           database.query("INSERT OR REPLACE INTO gate(run, gate_id, waiting, step, type, prompt,"
                          " choices, freeform, default_choice, resolved, outcome, choice, text,"
                          " decided_by, via, opened_at, deadline, decided_at, approvers,"
                          " forbid_self_approval)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
                          " ?15, ?16, ?17, ?18, ?19, ?20)"));
  const bool waiting = !row.resolved && !run_is_over;
  return put
      .bind(run, row.gate_id, waiting, row.step, row.type, row.prompt, dump_json(row.choices),
            row.freeform, row.default_choice, row.resolved, row.outcome, row.choice, row.text,
            row.by, row.via, row.opened_at, row.deadline, row.decided_at,
            dump_json(to_array(row.approvers)), row.forbid_self_approval)
      .run();
}

Status put_artifact(Database& database, int64_t run, const flow::Artifact& artifact) {
  WAVE_TRY(Query put,
           database.query("INSERT INTO artifact(run, step, name, type, path, sha256, size)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                          " ON CONFLICT(run, step, name) DO UPDATE SET type = excluded.type,"
                          " path = excluded.path, sha256 = excluded.sha256, size = excluded.size"));
  WAVE_CHECK(put.bind(run, artifact.step, artifact.name, artifact.type, artifact.path,
                      artifact.sha256, artifact.size)
                 .run());
  return artifact.sha256.empty() ? Status{} : put_blob_reference(database, run, artifact.sha256);
}

Status put_spool_mark(Database& database, int64_t run, const SpoolMark& mark) {
  WAVE_TRY(Query put,
           database.query("INSERT OR REPLACE INTO spool_mark(run, step, visit, attempt, purpose,"
                          " out_offset, err_offset, parser_state)"
                          " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
  put.bind(run, mark.step, mark.visit, mark.attempt, mark.purpose, mark.out_offset,
           mark.err_offset);
  put.bind_blob_at(8, mark.parser_state);
  return put.run();
}

Status put_blob_reference(Database& database, int64_t run, std::string_view sha256) {
  WAVE_TRY(Query put, database.query("INSERT OR IGNORE INTO blob_ref(run, sha256) VALUES(?1, ?2)"));
  return put.bind(run, sha256).run();
}

}  // namespace wave::store::sqlite
