// Making a new run from a terminal one: what it takes over.
#pragma once

#include <string>

#include "base/result.h"
#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// The `state` of the run_forked event of a run that begins again at `from_step` of `origin`: the
/// steps that need not run again, with their artifacts, workspaces and checkpoints, the gates that
/// are asked again, and how `from_step` failed.
///
/// An approval is for one deployment: with a named `from_step`, every approval gate in front of
/// what runs again is asked again, though the steps between are taken over. Where the origin failed
/// and no step is named, the same deployment goes on, and its answers stand. An empty `from_step`
/// is where the origin failed, else its first step that is not done. kNotFound for a step that does
/// not exist; kConflict when a dependency of it is not completed in the origin, when it is
/// rework_only, or when there is nothing left to do.
Result<json::object> fork_state(const Program& program, const RunState& origin,
                                const std::string& from_step);

}  // namespace wave::flow
