#include "server/api/run_json.h"

#include "base/text.h"

namespace wave::server::api {
namespace {

json::value duration(const std::optional<WallTime>& from, const std::optional<WallTime>& to,
                     WallTime now) {
  if (!from) return nullptr;
  return std::max<int64_t>(0, (to.value_or(now) - *from).count());
}

json::value failure(const std::string& code, const std::string& message) {
  if (code.empty() && message.empty()) return nullptr;
  return json::object{{"code", code}, {"message", message}};
}

json::value count_or_null(const std::optional<int64_t>& count) {
  return count ? json::value(*count) : json::value(nullptr);
}

json::object attempt_json(const Attempt& attempt, WallTime now) {
  return {{"visit", attempt.visit},
          {"attempt", attempt.attempt},
          {"reason", text_or_null(attempt.reason)},
          {"status", attempt.status},
          {"adapter", text_or_null(attempt.adapter)},
          {"model", text_or_null(attempt.model)},
          {"started_at", time_or_null(attempt.started_at)},
          {"finished_at", time_or_null(attempt.finished_at)},
          {"duration_ms", duration(attempt.started_at, attempt.finished_at, now)},
          {"usage", flow::to_json(attempt.usage)},
          {"exit_code", count_or_null(attempt.exit_code)},
          {"failure_class", text_or_null(attempt.failure_class)},
          {"error", failure(attempt.error_code, attempt.error_message)},
          {"out_bytes", count_or_null(attempt.out_bytes)},
          {"err_bytes", count_or_null(attempt.err_bytes)}};
}

}  // namespace

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(to_valid_utf8(text));
}

json::value time_or_null(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

json::object run_json(const flow::RunRow& row, std::optional<int> position, WallTime now,
                      size_t most_input) {
  return {
      {"run_id", row.run_id},
      {"pipeline", row.pipeline},
      {"status", row.status},
      {"resuming", row.resuming},
      {"waiting_reason", text_or_null(row.waiting_reason)},
      {"queue_position", position ? json::value(*position) : json::value(nullptr)},
      {"actor", text_or_null(row.actor)},
      {"input",
       text_or_null(row.input.size() > most_input ? excerpt(row.input, most_input) : row.input)},
      {"tags", row.tags},
      {"origin_run_id", text_or_null(row.origin_run_id)},
      {"failed_step", text_or_null(row.failed_step)},
      {"error", failure(row.error_code, row.error_message)},
      {"last_seq", row.last_seq},
      {"queued_at", time_or_null(row.queued_at)},
      {"started_at", time_or_null(row.started_at)},
      {"finished_at", time_or_null(row.finished_at)},
      {"updated_at", format_time(row.updated_at)},
      {"duration_ms", duration(row.started_at, row.finished_at, now)},
      {"steps_total", row.steps_total},
      {"steps_done", row.steps_done},
      {"usage", flow::to_json(row.usage)},
  };
}

engine::Person person_of(const auth::Identity& identity) {
  return {.subject = identity.subject.empty() ? identity.actor() : identity.subject,
          .role = std::string(auth::to_string(identity.role))};
}

json::object gate_json(const flow::RunRow& run, const flow::GateRow& gate,
                       const engine::Person& caller) {
  json::array choices;
  for (const json::value& choice : gate.choices) {
    if (!choice.is_object()) continue;
    const json::object& object = choice.get_object();
    choices.push_back(
        json::object{{"key", get_string(object, "key")},
                     {"label", get_string(object, "label")},
                     {"target", text_or_null(std::string(get_string(object, "target")))}});
  }
  return {{"run_id", run.run_id},
          {"gate_id", gate.gate_id},
          {"step", gate.step},
          {"type", gate.type},
          {"prompt", to_valid_utf8(gate.prompt)},
          {"choices", std::move(choices)},
          {"freeform", gate.freeform},
          {"default_choice", text_or_null(gate.default_choice)},
          {"approvers", to_array(gate.approvers)},
          {"forbid_self_approval", gate.forbid_self_approval},
          {"may_answer", engine::check_person(gate, run.actor, caller).has_value()},
          {"opened_at", time_or_null(gate.opened_at)},
          {"deadline", time_or_null(gate.deadline)},
          {"resolved", gate.resolved},
          {"outcome", text_or_null(gate.outcome)},
          {"choice", text_or_null(gate.choice)},
          {"text", text_or_null(gate.text)},
          {"by", text_or_null(gate.by)},
          {"via", text_or_null(gate.via)},
          {"decided_at", time_or_null(gate.decided_at)}};
}

json::object artifact_json(const flow::Artifact& artifact) {
  return {{"step", artifact.step},
          {"name", to_valid_utf8(artifact.name)},
          {"type", text_or_null(artifact.type)},
          {"path", text_or_null(artifact.path)},
          {"sha256", artifact.sha256},
          {"size", artifact.size}};
}

json::object step_json(const flow::StepRow& row, const std::string& kind,
                       const std::vector<Attempt>& attempts, WallTime now) {
  json::array list;
  for (const Attempt& attempt : attempts) list.push_back(attempt_json(attempt, now));
  return {{"index", row.index},
          {"step", row.step},
          {"kind", text_or_null(kind)},
          {"status", row.status},
          {"persona", text_or_null(row.persona)},
          {"adapter", text_or_null(row.adapter)},
          {"model", text_or_null(row.model)},
          {"visit", row.visit},
          {"attempt", row.attempt},
          {"interruptions", row.interruptions},
          {"started_at", time_or_null(row.started_at)},
          {"finished_at", time_or_null(row.finished_at)},
          {"duration_ms", duration(row.started_at, row.finished_at, now)},
          {"workspace", text_or_null(row.workspace)},
          {"reason", text_or_null(row.reason)},
          {"error", failure(row.error_code, row.error_message)},
          {"usage", flow::to_json(row.usage)},
          {"attempts", std::move(list)}};
}

}  // namespace wave::server::api
