// What a run executes: its pipeline and the settings that decisions depend on, with the graph worked
// out once.
#pragma once

#include <string>
#include <vector>

#include "model/project.h"

namespace wave::flow {

struct Program {
  model::Project project;
  // By index of the step in project.pipeline.steps:
  std::vector<std::vector<int>> dependencies;
  std::vector<std::vector<int>> dependents;

  explicit Program(model::Project loaded);
  Program() = default;

  [[nodiscard]] const std::vector<model::Step>& steps() const { return project.pipeline.steps; }
  /// Every step that is reachable from `step` over dependents, without `step`, in declaration order.
  [[nodiscard]] std::vector<int> descendants(int step) const;
  [[nodiscard]] std::vector<int> ancestors(int step) const;
  /// The hooks for an event: the manifest's first, then the pipeline's, those that match `step`.
  [[nodiscard]] std::vector<const model::Hook*> hooks(model::Hook::Event event,
                                                      std::string_view step) const;
};

}  // namespace wave::flow
