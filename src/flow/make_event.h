// Events as decide() emits them: without seq, time and run id.
#pragma once

#include "flow/event.h"
#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// An event of a step's present visit and attempt.
Event step_event(Kind kind, const Program& program, const RunState& state, size_t step,
                 json::object data = {});

/// What every end of a run tells beside its status: duration, usage, what leaked.
Event run_end(Kind kind, const RunState& state, std::string_view status, json::object data = {});

/// The failure's class, code, message and contract errors as fields.
json::object failure_fields(const Failure& failure);

/// Milliseconds from `since` to the last event.
int64_t elapsed_ms(const RunState& state, const std::optional<WallTime>& since);

/// "<step>.<visit>".
std::string gate_id_of(const StepState& step);
/// "<step>.<visit>!<interruptions>": the gate that asks what to do about an interruption.
std::string interrupt_gate_id_of(const StepState& step);

}  // namespace wave::flow
