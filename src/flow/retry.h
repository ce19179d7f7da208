// Whether and when a failed attempt is tried again (wave-model.md 3.11).
#pragma once

#include <string>

#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// What makes two failures the same one: step, class, and the message without times, line numbers,
/// addresses, ids and temporary paths.
std::string failure_fingerprint(std::string_view step, const Failure& failure);

/// Whether the circuit breaker counts failures of this class.
bool is_tracked(const model::CircuitBreakerConfig& breaker, FailureClass failure);

/// Whether the step's last failure, just as it was, has been seen as often as the breaker allows.
bool breaker_tripped(const Program& program, const RunState& state, const StepState& step);

/// Whether the failed attempt of a step is followed by another one, were the run to go on.
bool can_retry(const Program& program, const RunState& state, const model::Step& step,
               const StepState& step_state);

/// The wait before the next attempt, without jitter.
Millis retry_wait(const model::Step& step, const StepState& step_state);

}  // namespace wave::flow
