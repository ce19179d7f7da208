#include "model/pipeline.h"

namespace wave::model {

std::string_view to_string(StepKind kind) {
  switch (kind) {
    case StepKind::kPersona:
      return "persona";
    case StepKind::kCommand:
      return "command";
    case StepKind::kGate:
      return "gate";
    case StepKind::kIterate:
      return "iterate";
    case StepKind::kAggregate:
      return "aggregate";
    case StepKind::kBranch:
      return "branch";
    case StepKind::kLoop:
      return "loop";
    case StepKind::kSubPipeline:
      return "pipeline";
    case StepKind::kMatrix:
      return "matrix";
    case StepKind::kConcurrency:
      return "concurrency";
    case StepKind::kConditional:
      return "conditional";
  }
  return "persona";
}

OnFailure Step::on_failure() const {
  const OnFailure wanted =
      retry.on_failure.value_or(optional ? OnFailure::kContinue : OnFailure::kFail);
  return wanted == OnFailure::kWarn ? OnFailure::kFail : wanted;
}

int Pipeline::index_of(std::string_view step_id) const {
  for (size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].id == step_id) return static_cast<int>(i);
  }
  return -1;
}

const Step* Pipeline::find(std::string_view step_id) const {
  const int index = index_of(step_id);
  return index < 0 ? nullptr : &steps[static_cast<size_t>(index)];
}

}  // namespace wave::model
