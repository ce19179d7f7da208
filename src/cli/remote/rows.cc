#include "cli/remote/rows.h"

namespace wave::cli::remote {
namespace {

std::string text(const json::object& object, std::string_view key) {
  return std::string(get_string(object, key));
}

std::optional<WallTime> time(const json::object& object, std::string_view key) {
  return parse_time(get_string(object, key));
}

int number(const json::object& object, std::string_view key) {
  return static_cast<int>(get_int(object, key));
}

}  // namespace

flow::RunRow run_row(const json::object& run) {
  flow::RunRow row;
  row.run_id = text(run, "run_id");
  row.pipeline = text(run, "pipeline");
  row.status = text(run, "status");
  row.actor = text(run, "actor");
  row.input = text(run, "input");
  row.waiting_reason = text(run, "waiting_reason");
  row.origin_run_id = text(run, "origin_run_id");
  row.failed_step = text(run, "failed_step");
  row.error_code = text(get_object(run, "error"), "code");
  row.error_message = text(get_object(run, "error"), "message");
  row.tags = get_object(run, "tags");
  row.last_seq = static_cast<uint64_t>(std::max<int64_t>(0, get_int(run, "last_seq")));
  row.queued_at = time(run, "queued_at");
  row.started_at = time(run, "started_at");
  row.finished_at = time(run, "finished_at");
  row.updated_at = time(run, "updated_at").value_or(WallTime{});
  row.steps_total = number(run, "steps_total");
  row.steps_done = number(run, "steps_done");
  row.usage = flow::usage_from_json(get_object(run, "usage"));
  row.resuming = get_bool(run, "resuming");
  return row;
}

flow::StepRow step_row(const json::object& step) {
  flow::StepRow row;
  row.index = number(step, "index");
  row.step = text(step, "step");
  row.status = text(step, "status");
  row.persona = text(step, "persona");
  row.adapter = text(step, "adapter");
  row.model = text(step, "model");
  row.error_code = text(get_object(step, "error"), "code");
  row.error_message = text(get_object(step, "error"), "message");
  row.workspace = text(step, "workspace");
  row.reason = text(step, "reason");
  row.visit = number(step, "visit");
  row.attempt = number(step, "attempt");
  row.interruptions = number(step, "interruptions");
  row.started_at = time(step, "started_at");
  row.finished_at = time(step, "finished_at");
  row.usage = flow::usage_from_json(get_object(step, "usage"));
  return row;
}

flow::GateRow gate_row(const json::object& gate) {
  flow::GateRow row;
  row.gate_id = text(gate, "gate_id");
  row.step = text(gate, "step");
  row.type = text(gate, "type");
  row.prompt = text(gate, "prompt");
  row.default_choice = text(gate, "default_choice");
  row.outcome = text(gate, "outcome");
  row.choice = text(gate, "choice");
  row.text = text(gate, "text");
  row.by = text(gate, "by");
  row.via = text(gate, "via");
  row.choices = get_array(gate, "choices");
  row.approvers = get_strings(gate, "approvers");
  row.forbid_self_approval = get_bool(gate, "forbid_self_approval");
  row.freeform = get_bool(gate, "freeform");
  row.resolved = get_bool(gate, "resolved");
  row.opened_at = time(gate, "opened_at");
  row.deadline = time(gate, "deadline");
  row.decided_at = time(gate, "decided_at");
  return row;
}

store::RunDetails run_details(const json::object& detail) {
  store::RunDetails details;
  details.row = run_row(get_object(detail, "run"));
  // The run's own number is of the same moment; `seq` is what the document is true at.
  const int64_t seq = get_int(detail, "seq");
  if (seq > 0) details.row.last_seq = static_cast<uint64_t>(seq);
  for (const json::value& step : get_array(detail, "steps")) {
    if (step.is_object()) details.steps.push_back(step_row(step.get_object()));
  }
  for (const json::value& gate : get_array(detail, "gates")) {
    if (gate.is_object()) details.gates.push_back(gate_row(gate.get_object()));
  }
  for (const json::value& artifact : get_array(detail, "artifacts")) {
    if (artifact.is_object()) {
      details.artifacts.push_back(flow::artifact_from_json(artifact.get_object()));
    }
  }
  return details;
}

}  // namespace wave::cli::remote
