#include "flow/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "flow/model_choice.h"

namespace wave::flow {
namespace {

std::string workspace_text(const model::Workspace& workspace) {
  switch (workspace.kind) {
    case model::Workspace::Kind::kPlain:
      return "plain";
    case model::Workspace::Kind::kRef:
      return "of " + workspace.ref;
    case model::Workspace::Kind::kWorktree: {
      const std::string branch = workspace.branch.source();
      return branch.empty() ? "worktree" : "worktree " + branch;
    }
    case model::Workspace::Kind::kMount: {
      std::vector<std::string> targets;
      for (const model::Mount& mount : workspace.mounts) targets.push_back(mount.target.source());
      return "copy of " + join(targets, ", ");
    }
  }
  return {};
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

class Planner {
 public:
  Planner(const Program& program, const RunOptions& options)
      : program_(program), options_(options) {}

  Result<Plan> run() {
    WAVE_CHECK(check_names(options_.steps));
    WAVE_CHECK(check_names(options_.exclude));
    if (!options_.from_step.empty()) WAVE_CHECK(check_names({options_.from_step}));
    Plan plan{.pipeline = program_.project.pipeline.name, .waves = {}, .on_demand = {}};
    const std::vector<size_t> levels = levels_of_steps();
    for (size_t i = 0; i < program_.steps().size(); ++i) {
      PlannedStep step = planned(i);
      if (program_.steps()[i].rework_only) {
        plan.on_demand.push_back(std::move(step));
        continue;
      }
      if (plan.waves.size() <= levels[i]) plan.waves.resize(levels[i] + 1);
      plan.waves[levels[i]].push_back(std::move(step));
    }
    return plan;
  }

 private:
  Status check_names(const std::vector<std::string>& names) const {
    std::vector<std::string> known;
    for (const model::Step& step : program_.steps()) known.push_back(step.id);
    for (const std::string& name : names) {
      if (contains(known, name)) continue;
      Error error(Code::kUsage, fmt::format("pipeline {} has no step '{}'",
                                            program_.project.pipeline.name, name));
      const auto meant = did_you_mean(name, known);
      error.hint =
          meant ? fmt::format("did you mean '{}'?", *meant) : "its steps are: " + join(known, ", ");
      return std::unexpected(std::move(error));
    }
    return {};
  }

  /// How many steps lie before each on the longest way to it.
  std::vector<size_t> levels_of_steps() const {
    const size_t count = program_.steps().size();
    std::vector<size_t> levels(count, 0);
    // At most `count` rounds: the loader refused cycles.
    for (size_t round = 0; round < count; ++round) {
      bool changed = false;
      for (size_t i = 0; i < count; ++i) {
        for (const int dependency : program_.dependencies[i]) {
          const size_t level = levels[static_cast<size_t>(dependency)] + 1;
          if (level > levels[i]) {
            levels[i] = level;
            changed = true;
          }
        }
      }
      if (!changed) break;
    }
    return levels;
  }

  std::string left_out(size_t index) const {
    const std::string& id = program_.steps()[index].id;
    if (!options_.steps.empty() && !contains(options_.steps, id)) return "not in --steps";
    if (contains(options_.exclude, id)) return "excluded";
    if (options_.from_step.empty() || id == options_.from_step) return {};
    const int from = program_.project.pipeline.index_of(options_.from_step);
    const std::vector<int> after = program_.descendants(from);
    const bool runs = std::ranges::find(after, static_cast<int>(index)) != after.end();
    return runs ? "" : "before " + options_.from_step;
  }

  PlannedStep planned(size_t index) const {
    const model::Step& step = program_.steps()[index];
    const model::Manifest& manifest = program_.project.manifest;
    PlannedStep planned{.id = step.id,
                        .kind = std::string(model::to_string(step.kind)),
                        .persona = step.persona.source(),
                        .adapter = {},
                        .model = {},
                        .workspace = workspace_text(step.workspace),
                        .dependencies = step.dependencies,
                        .contracts = {},
                        .left_out = left_out(index)};
    for (const model::Contract& contract : step.contracts)
      planned.contracts.push_back(contract.type);
    if (step.kind != model::StepKind::kPersona) return planned;
    const auto persona = manifest.personas.find(planned.persona);
    const ModelChoice choice =
        choose_model(manifest, step,
                     persona == manifest.personas.end() ? nullptr : &persona->second, options_, 1);
    planned.adapter = choice.adapter;
    planned.model = choice.model.empty() ? choice.tier : choice.model;
    return planned;
  }

  const Program& program_;
  const RunOptions& options_;
};

json::object planned_step_json(const PlannedStep& step) {
  json::object object{{"step", step.id},
                      {"kind", step.kind},
                      {"persona", step.persona},
                      {"adapter", step.adapter},
                      {"model", step.model},
                      {"workspace", step.workspace},
                      {"dependencies", to_array(step.dependencies)},
                      {"contracts", to_array(step.contracts)}};
  if (!step.left_out.empty()) object["left_out"] = step.left_out;
  return object;
}

json::array steps_json(const std::vector<PlannedStep>& steps) {
  json::array array;
  for (const PlannedStep& step : steps) array.push_back(planned_step_json(step));
  return array;
}

std::vector<PlannedStep> steps_of(const json::array& array) {
  std::vector<PlannedStep> steps;
  for (const json::value& item : array) {
    const json::object* object = item.if_object();
    if (object == nullptr) continue;
    steps.push_back({.id = std::string(get_string(*object, "step")),
                     .kind = std::string(get_string(*object, "kind")),
                     .persona = std::string(get_string(*object, "persona")),
                     .adapter = std::string(get_string(*object, "adapter")),
                     .model = std::string(get_string(*object, "model")),
                     .workspace = std::string(get_string(*object, "workspace")),
                     .dependencies = get_strings(*object, "dependencies"),
                     .contracts = get_strings(*object, "contracts"),
                     .left_out = std::string(get_string(*object, "left_out"))});
  }
  return steps;
}

}  // namespace

Result<Plan> make_plan(const Program& program, const RunOptions& options) {
  return Planner(program, options).run();
}

json::object plan_json(const Plan& plan) {
  json::array waves;
  for (const auto& wave : plan.waves) waves.push_back(steps_json(wave));
  return {{"pipeline", plan.pipeline},
          {"waves", std::move(waves)},
          {"on_demand", steps_json(plan.on_demand)}};
}

Plan plan_of(const json::object& plan) {
  Plan made{.pipeline = std::string(get_string(plan, "pipeline")), .waves = {}, .on_demand = {}};
  for (const json::value& wave : get_array(plan, "waves")) {
    if (const json::array* steps = wave.if_array()) made.waves.push_back(steps_of(*steps));
  }
  made.on_demand = steps_of(get_array(plan, "on_demand"));
  return made;
}

}  // namespace wave::flow
