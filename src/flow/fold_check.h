// Whether an event may follow a state. Nothing is changed here, so that an event is applied as a
// whole or not at all.
#pragma once

#include "flow/event.h"
#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// kInternal with the reason when `event` breaks an invariant. `step` is the index of the event's
/// step, -1 if it names none.
Status check_event(const Program& program, const RunState& state, const Event& event, int step);

/// The status an event brings the run to, if it does.
std::optional<RunStatus> run_status_after(const Event& event);

}  // namespace wave::flow
