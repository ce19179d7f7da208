#include "flow/state.h"

#include <array>

namespace wave::flow {
namespace {

template <typename Enum>
struct Name {
  Enum value;
  std::string_view name;
};

constexpr std::array kRunStatuses{
    Name{RunStatus::kQueued, "queued"},
    Name{RunStatus::kRunning, "running"},
    Name{RunStatus::kWaiting, "waiting"},
    Name{RunStatus::kCompleted, "completed"},
    Name{RunStatus::kCompletedEmpty, "completed_empty"},
    Name{RunStatus::kFailed, "failed"},
    Name{RunStatus::kRejected, "rejected"},
    Name{RunStatus::kCancelled, "cancelled"},
};

constexpr std::array kStepStatuses{
    Name{StepStatus::kPending, "pending"},
    Name{StepStatus::kReady, "ready"},
    Name{StepStatus::kRunning, "running"},
    Name{StepStatus::kWaiting, "waiting"},
    Name{StepStatus::kRetrying, "retrying"},
    Name{StepStatus::kReworking, "reworking"},
    Name{StepStatus::kInterrupted, "interrupted"},
    Name{StepStatus::kCompleted, "completed"},
    Name{StepStatus::kCompletedEmpty, "completed_empty"},
    Name{StepStatus::kSkipped, "skipped"},
    Name{StepStatus::kFailed, "failed"},
    Name{StepStatus::kRejected, "rejected"},
    Name{StepStatus::kCancelled, "cancelled"},
};

constexpr std::array kFailureClasses{
    Name{FailureClass::kNone, "none"},
    Name{FailureClass::kTransient, "transient"},
    Name{FailureClass::kTimeout, "timeout"},
    Name{FailureClass::kStalled, "stalled"},
    Name{FailureClass::kRateLimit, "rate_limit"},
    Name{FailureClass::kContextExhausted, "context_exhausted"},
    Name{FailureClass::kBudgetExhausted, "budget_exhausted"},
    Name{FailureClass::kContractFailure, "contract_failure"},
    Name{FailureClass::kTestFailure, "test_failure"},
    Name{FailureClass::kDeterministic, "deterministic"},
    Name{FailureClass::kOutputLimit, "output_limit"},
    Name{FailureClass::kMissingOutput, "missing_output"},
    Name{FailureClass::kHook, "hook"},
    Name{FailureClass::kGate, "gate"},
    Name{FailureClass::kInterruptedRepeatedly, "interrupted_repeatedly"},
    Name{FailureClass::kVisitLimit, "visit_limit"},
    Name{FailureClass::kCanceled, "canceled"},
    Name{FailureClass::kStopped, "stopped"},
    Name{FailureClass::kInternal, "internal"},
};

template <typename Enum, size_t kCount>
std::string_view name_of(const std::array<Name<Enum>, kCount>& table, Enum value) {
  return table[static_cast<size_t>(value)].name;
}

template <typename Enum, size_t kCount>
std::optional<Enum> value_of(const std::array<Name<Enum>, kCount>& table, std::string_view name) {
  for (const auto& entry : table) {
    if (entry.name == name) return entry.value;
  }
  return std::nullopt;
}

template <typename Enum, size_t kCount>
constexpr bool in_order(const std::array<Name<Enum>, kCount>& table) {
  for (size_t i = 0; i < kCount; ++i) {
    if (static_cast<size_t>(table[i].value) != i) return false;
  }
  return true;
}
static_assert(in_order(kRunStatuses) && in_order(kStepStatuses) && in_order(kFailureClasses));

// Rows: from. Columns: to, in the order of RunStatus.
constexpr bool kLegal[8][8] = {
    // queued running waiting completed empty  failed rejected cancelled
    {false, true, true, false, false, true, false, true},      // queued
    {true, false, true, true, true, true, true, true},         // running
    {true, true, false, false, false, true, false, true},      // waiting
    {false, false, false, false, false, false, false, false},  // completed
    {false, false, false, false, false, false, false, false},  // completed_empty
    {false, false, false, false, false, false, false, false},  // failed
    {false, false, false, false, false, false, false, false},  // rejected
    {false, false, false, false, false, false, false, false},  // cancelled
};

}  // namespace

std::string_view to_string(RunStatus status) {
  return name_of(kRunStatuses, status);
}
std::string_view to_string(StepStatus status) {
  return name_of(kStepStatuses, status);
}
std::string_view to_string(FailureClass failure) {
  return name_of(kFailureClasses, failure);
}

std::optional<RunStatus> run_status_from_name(std::string_view name) {
  return value_of(kRunStatuses, name);
}

FailureClass failure_class_from_name(std::string_view name) {
  // Unknown causes are worth another try, as upstream's are.
  return value_of(kFailureClasses, name).value_or(FailureClass::kTransient);
}

bool is_terminal(RunStatus status) {
  return status >= RunStatus::kCompleted;
}
bool is_terminal(StepStatus status) {
  return status >= StepStatus::kCompleted;
}

bool is_stopped(std::string_view waiting_reason) {
  return waiting_reason == "stopped" || waiting_reason == "shutdown";
}

bool is_legal(RunStatus from, RunStatus to) {
  return kLegal[static_cast<size_t>(from)][static_cast<size_t>(to)];
}

bool is_retryable(FailureClass failure) {
  switch (failure) {
    case FailureClass::kTransient:
    case FailureClass::kTimeout:
    case FailureClass::kRateLimit:
    case FailureClass::kContractFailure:
    case FailureClass::kTestFailure:
    case FailureClass::kMissingOutput:
      return true;
    default:
      return false;
  }
}

const StepState* RunState::find(std::string_view step) const {
  const auto found = std::ranges::find(steps, step, &StepState::id);
  return found == steps.end() ? nullptr : &*found;
}

StepState* RunState::find(std::string_view step) {
  const auto found = std::ranges::find(steps, step, &StepState::id);
  return found == steps.end() ? nullptr : &*found;
}

}  // namespace wave::flow
