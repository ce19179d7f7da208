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

inline bool all_satisfied(const Program& program, const RunState& state, size_t step) {
  return std::ranges::all_of(program.dependencies[step], [&](int dependency) {
    return is_satisfied(state.steps[static_cast<size_t>(dependency)]);
  });
}

}  // namespace wave::flow
