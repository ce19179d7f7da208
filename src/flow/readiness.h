// When a dependency lets a step go, and when it never will.
#pragma once

#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// The dependency is done, or was left out on purpose: what depends on it may start.
inline bool is_satisfied(const StepState& dependency) {
  switch (dependency.status) {
    case StepStatus::kCompleted:
    case StepStatus::kCompletedEmpty:
      return true;
    case StepStatus::kSkipped:
      return dependency.skip_reason == "filtered" || dependency.skip_reason == "jumped_over";
    default:
      return false;
  }
}

/// The dependency ended and what depends on it can never start.
inline bool is_dead(const StepState& dependency) {
  return is_terminal(dependency.status) && !is_satisfied(dependency);
}

/// The index of the first step that `step` has to wait for and that is as `wanted` says, or -1.
template <typename Wanted>
int find_prerequisite(const Program& program, const RunState& state, size_t step, Wanted wanted) {
  for (const int dependency : program.dependencies[step]) {
    if (wanted(static_cast<size_t>(dependency))) return dependency;
  }
  for (const GateAskedAgain& again : state.gates_asked_again) {
    if (again.behind[step] != 0 && wanted(again.gate)) return static_cast<int>(again.gate);
  }
  return -1;
}

inline bool all_satisfied(const Program& program, const RunState& state, size_t step) {
  return find_prerequisite(program, state, step,
                           [&](size_t index) { return !is_satisfied(state.steps[index]); }) < 0;
}

}  // namespace wave::flow
