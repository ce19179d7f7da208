#include "cli/plan.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/style.h"

namespace wave::cli {
namespace {

std::string who(const flow::PlannedStep& step) {
  if (step.persona.empty()) return step.kind;
  std::string text = step.persona;
  if (!step.adapter.empty()) text += " (" + step.adapter;
  if (!step.model.empty()) text += ", " + step.model;
  return step.adapter.empty() ? text : text + ")";
}

std::vector<std::string> row_of(const flow::PlannedStep& step) {
  std::vector<std::string> row{"  " + printable(step.id), printable(who(step)),
                               printable(step.workspace), join(step.contracts, ", ")};
  if (!step.left_out.empty()) row = {"  " + printable(step.id), "left out: " + step.left_out};
  return row;
}

}  // namespace

std::string plan_text(const flow::Plan& plan) {
  std::vector<std::vector<std::string>> rows{{"  STEP", "BY", "WORKSPACE", "CONTRACTS"}};
  const auto add_all = [&rows](const std::string& title,
                               const std::vector<flow::PlannedStep>& steps) {
    rows.push_back({title});
    for (const flow::PlannedStep& step : steps) rows.push_back(row_of(step));
  };
  for (size_t i = 0; i < plan.waves.size(); ++i) {
    add_all(fmt::format("wave {}", i + 1), plan.waves[i]);
  }
  if (!plan.on_demand.empty()) add_all("only when needed", plan.on_demand);
  return fmt::format("pipeline {}\n\n{}", printable(plan.pipeline), table(rows));
}

}  // namespace wave::cli
