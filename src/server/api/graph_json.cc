#include <map>

#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

/// How many steps lie before each on the longest way to it; at most as many as there are, so that a
/// cycle comes to an end.
std::map<std::string, size_t> levels_of(const model::Pipeline& pipeline) {
  std::map<std::string, size_t> levels;
  for (const model::Step& step : pipeline.steps) levels[step.id] = 0;
  const size_t count = pipeline.steps.size();
  for (size_t round = 0; round < count; ++round) {
    bool changed = false;
    for (const model::Step& step : pipeline.steps) {
      for (const std::string& dependency : step.dependencies) {
        const auto before = levels.find(dependency);
        if (before == levels.end()) continue;
        const size_t level = std::min(before->second + 1, count);
        if (level <= levels[step.id]) continue;
        levels[step.id] = level;
        changed = true;
      }
    }
    if (!changed) break;
  }
  return levels;
}

json::object edge(const std::string& from, const std::string& to, std::string_view kind,
                  const std::string& label = {}) {
  return {{"from", from}, {"to", to}, {"kind", kind}, {"label", text_or_null(label)}};
}

void add_edges(const model::Step& step, const std::map<std::string, size_t>& known,
               json::array& edges) {
  for (const std::string& dependency : step.dependencies) {
    if (known.contains(dependency)) edges.push_back(edge(dependency, step.id, "dependency"));
  }
  if (known.contains(step.retry.rework_step)) {
    edges.push_back(edge(step.id, step.retry.rework_step, "rework"));
  }
  for (const model::Contract& contract : step.contracts) {
    if (!known.contains(contract.rework_step)) continue;
    edges.push_back(edge(step.id, contract.rework_step, "rework", contract.type));
  }
  if (!step.gate) return;
  for (const model::GateChoice& choice : step.gate->choices) {
    if (known.contains(choice.target)) {
      edges.push_back(edge(step.id, choice.target, "gate", choice.label));
    }
  }
}

}  // namespace

json::object graph_json(const model::Pipeline& pipeline) {
  const std::map<std::string, size_t> levels = levels_of(pipeline);
  json::array nodes, edges;
  for (const model::Step& step : pipeline.steps) {
    nodes.push_back(json::object{{"step", step.id},
                                 {"kind", model::to_string(step.kind)},
                                 {"persona", text_or_null(step.persona.source())},
                                 {"level", levels.at(step.id)},
                                 {"rework_only", step.rework_only},
                                 {"optional", step.optional}});
    add_edges(step, levels, edges);
  }
  return {{"nodes", std::move(nodes)}, {"edges", std::move(edges)}};
}

}  // namespace wave::server::api
