#include "flow/retro.h"

namespace wave::flow {
namespace {

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}
json::value time_or_null(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

json::object step_json(const RetroStep& step) {
  return {{"step", step.step},
          {"persona", text_or_null(step.persona)},
          {"kind", text_or_null(step.kind)},
          {"status", text_or_null(step.status)},
          {"failure_class", text_or_null(step.failure_class)},
          {"visits", step.visits},
          {"attempts", step.attempts},
          {"retries", step.retries},
          {"reworks", step.reworks},
          {"interruptions", step.interruptions},
          {"failed_contracts", step.failed_contracts},
          {"working_ms", step.working.count()},
          {"waiting_ms", step.waiting.count()},
          {"usage", to_json(step.usage)}};
}

json::object friction_json(const Friction& friction) {
  return {{"kind", to_string(friction.kind)},
          {"step", text_or_null(friction.step)},
          {"visit", friction.visit},
          {"attempt", friction.attempt},
          {"failure_class", text_or_null(friction.failure_class)},
          {"code", text_or_null(friction.code)},
          {"message", friction.message},
          {"target", text_or_null(friction.target)},
          {"at", format_time(friction.at)}};
}

json::object contract_json(const FailedContract& failed) {
  return {{"step", failed.step},
          {"visit", failed.visit},
          {"attempt", failed.attempt},
          {"index", failed.index},
          {"type", failed.type},
          {"policy", failed.policy},
          {"message", failed.message},
          {"failure_class", text_or_null(failed.failure_class)},
          {"errors", to_array(failed.errors)},
          {"evaluable", failed.evaluable}};
}

json::object gate_json(const RetroGate& gate) {
  return {{"step", gate.step},
          {"gate_id", gate.gate_id},
          {"outcome", text_or_null(gate.outcome)},
          {"choice", text_or_null(gate.choice)},
          {"by", text_or_null(gate.by)},
          {"waited_ms", gate.waited.count()}};
}

template <typename T, typename F>
json::array list_of(const std::vector<T>& items, F make) {
  json::array list;
  for (const T& item : items) list.push_back(make(item));
  return list;
}

}  // namespace

json::object to_json(const Retro& retro) {
  json::value error = nullptr;
  if (!retro.error_message.empty() || !retro.failure_class.empty()) {
    error = json::object{{"step", text_or_null(retro.failed_step)},
                         {"failure_class", text_or_null(retro.failure_class)},
                         {"code", text_or_null(retro.error_code)},
                         {"message", retro.error_message}};
  }
  json::array files;
  for (const std::string& file : retro.files) files.emplace_back(file);
  return {{"run_id", retro.run_id},
          {"pipeline", retro.pipeline},
          {"origin_run_id", text_or_null(retro.origin_run_id)},
          {"actor", text_or_null(retro.actor)},
          {"outcome", retro.outcome},
          {"ended", retro.ended},
          {"smoothness", retro.smoothness},
          {"error", std::move(error)},
          {"queued_at", time_or_null(retro.queued_at)},
          {"started_at", time_or_null(retro.started_at)},
          {"finished_at", time_or_null(retro.finished_at)},
          {"total_ms", retro.total.count()},
          {"queued_ms", retro.queued.count()},
          {"working_ms", retro.working.count()},
          {"waiting_ms", retro.waiting.count()},
          {"usage", to_json(retro.usage)},
          {"retries", retro.retries},
          {"reworks", retro.reworks},
          {"interruptions", retro.interruptions},
          {"jumps", retro.jumps},
          {"warnings", retro.warnings},
          {"contracts_passed", retro.contracts_passed},
          {"steps", list_of(retro.steps, step_json)},
          {"friction", list_of(retro.friction, friction_json)},
          {"friction_left_out", retro.friction_left_out},
          {"failed_contracts", list_of(retro.failed_contracts, contract_json)},
          {"gates", list_of(retro.gates, gate_json)},
          {"artifacts",
           list_of(retro.artifacts, [](const Artifact& artifact) { return to_json(artifact); })},
          {"checkpoints", to_array(retro.checkpoints)},
          {"files", std::move(files)},
          {"files_complete", retro.files_complete}};
}

}  // namespace wave::flow
