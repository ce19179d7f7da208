// What a run executes: its pipeline and the settings that decisions depend on, with the graph
// worked out once.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/project.h"

namespace wave::flow {

struct Program {
  model::Project project;
  // By index of the step in project.pipeline.steps:
  std::vector<std::vector<int>> dependencies;
  std::vector<std::vector<int>> dependents;
  /// The persona of each step, where it is a literal; the executor fills the others in.
  std::vector<std::string> personas;

  explicit Program(model::Project loaded);
  Program() = default;

  [[nodiscard]] const std::vector<model::Step>& steps() const { return project.pipeline.steps; }
  /// Every step that is reachable from `step` over dependents, without `step`, in declaration
  /// order.
  [[nodiscard]] std::vector<int> descendants(int step) const;
  /// The same over dependencies.
  [[nodiscard]] std::vector<int> ancestors(int step) const;
  /// The hooks for an event: the manifest's first, then the pipeline's, those that match `step`.
  [[nodiscard]] std::vector<const model::Hook*> hooks(model::Hook::Event event,
                                                      std::string_view step) const;
  /// How many there are, quickly. `step` -1: of the run.
  [[nodiscard]] size_t hook_count(model::Hook::Event event, int step) const {
    return hook_table_.empty() ? 0 : hook_row(event, step).size();
  }
  /// The step's place in steps(), or -1.
  [[nodiscard]] int index_of(std::string_view id) const;

 private:
  struct TextHash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  [[nodiscard]] const std::vector<int>& hook_row(model::Hook::Event event, int step) const {
    return hook_table_[static_cast<size_t>(event) * (steps().size() + 1) +
                       static_cast<size_t>(step + 1)];
  }
  void link_steps();
  void match_hooks();

  std::unordered_map<std::string, int, TextHash, std::equal_to<>> index_;
  /// By event and step (0: the run): places in the manifest's hooks followed by the pipeline's.
  /// Empty when there is no hook at all.
  std::vector<std::vector<int>> hook_table_;
};

/// "run_start" and so on, as in the manifest.
std::string_view hook_event_name(model::Hook::Event event);

}  // namespace wave::flow
