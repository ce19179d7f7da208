// Events -> state.
#pragma once

#include "flow/event.h"
#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// The state before the first event: all steps pending.
RunState initial_state(const Program& program, std::string run_id);

/// Applies one event. kInternal when it breaks an invariant (a hole in seq, an event after the
/// terminal one, an illegal transition, an unknown step): the run is then quarantined by its owner.
/// The state is unchanged in that case.
Status apply(const Program& program, RunState& state, const Event& event);

}  // namespace wave::flow
