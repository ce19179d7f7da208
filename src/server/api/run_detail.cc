#include <algorithm>

#include "base/log.h"
#include "http/message.h"
#include "server/api/handlers.h"
#include "server/api/run_json.h"
#include "server/api/shared.h"

namespace wave::server::api {
namespace {

constexpr size_t kMostChildren = 100;

json::array steps_of(const store::RunDetails& details, const flow::Program* program,
                     const Attempts& attempts, WallTime now) {
  json::array steps;
  static const std::vector<Attempt> kNone;
  for (const flow::StepRow& row : details.steps) {
    std::string kind;
    if (program != nullptr) {
      if (const int index = program->index_of(row.step); index >= 0) {
        kind = model::to_string(program->steps()[static_cast<size_t>(index)].kind);
      }
    }
    const auto found = attempts.find(row.step);
    steps.push_back(step_json(row, kind, found == attempts.end() ? kNone : found->second, now));
  }
  return steps;
}

json::object cost_of(const store::RunDetails& details, const flow::Program* program) {
  std::map<std::string, flow::Usage> by_model;
  for (const flow::StepRow& row : details.steps) {
    if (row.usage.total() == 0 && row.usage.cost_usd == 0) continue;
    by_model[row.model.empty() ? "unknown" : row.model] += row.usage;
  }
  std::vector<std::pair<std::string, flow::Usage>> models(by_model.begin(), by_model.end());
  std::ranges::sort(models, [](const auto& a, const auto& b) {
    if (a.second.cost_usd != b.second.cost_usd) return a.second.cost_usd > b.second.cost_usd;
    return a.first < b.first;
  });
  json::array list;
  for (const auto& [model, usage] : models) {
    list.push_back(json::object{{"model", model}, {"usage", flow::to_json(usage)}});
  }
  json::value budget = nullptr;
  if (program != nullptr) {
    const double ceiling = program->project.manifest.runtime.cost.budget_ceiling;
    if (ceiling > 0) budget = ceiling;
  }
  return {{"usage", flow::to_json(details.row.usage)},
          {"budget_usd", std::move(budget)},
          {"by_model", std::move(list)}};
}

json::object links_of(const flow::RunRow& row, const std::string& base_path) {
  const std::string runs = base_path + "/api/runs/";
  const std::string self = runs + http::percent_encode(row.run_id);
  json::value origin = nullptr;
  if (!row.origin_run_id.empty()) {
    origin = runs + http::percent_encode(row.origin_run_id);
  }
  return {{"self", self},
          {"events", self + "/events"},
          {"logs", self + "/logs"},
          {"artifacts", self + "/artifacts"},
          {"diff", self + "/diff"},
          {"children", self + "/children"},
          {"origin", std::move(origin)}};
}

}  // namespace

Result<http::Response> get_run(Call& call) {
  Services& services = call.services;
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const flow::RunRow& row = details.row;
  WAVE_TRY(const Attempts attempts, read_attempts(services.store, row.run_id, row.last_seq));
  // A run whose snapshot does not load any more still shows everything else.
  const auto program = services.api->program(details.snapshot);
  if (!program) log::warning("run {}: {}", row.run_id, full_message(program.error()));
  const flow::Program* const known = program ? program->get() : nullptr;
  WAVE_TRY(const auto children,
           services.store.list_runs({.origin = row.run_id, .limit = kMostChildren}));

  const WallTime now = SystemClock().wall();
  json::array gates, artifacts, child_list;
  for (const flow::GateRow& gate : details.gates) {
    gates.push_back(gate_json(row, gate, person_of(call.identity)));
  }
  for (const flow::Artifact& artifact : details.artifacts) {
    artifacts.push_back(artifact_json(artifact));
  }
  for (const flow::RunRow& child : children) {
    child_list.push_back(run_json(child, services.queue.position(child.run_id), now, 500));
  }
  return json_response(json::object{
      {"seq", row.last_seq},
      {"run", run_json(row, services.queue.position(row.run_id), now)},
      {"steps", steps_of(details, known, attempts, now)},
      {"gates", std::move(gates)},
      {"artifacts", std::move(artifacts)},
      {"children", std::move(child_list)},
      {"cost", cost_of(details, known)},
      {"graph", graph_json(known != nullptr ? known->project.pipeline : model::Pipeline{})},
      {"links", links_of(row, services.base_path)}});
}

}  // namespace wave::server::api
