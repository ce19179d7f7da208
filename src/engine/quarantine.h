// The end of a run that cannot be folded or decided: it fails, with the reason, and nothing else
// does.
#pragma once

#include "flow/event.h"
#include "flow/state.h"

namespace wave::engine {

/// The terminal event of a quarantined run; `failed` holds its seq and time.
flow::Event quarantine_event(const std::string& run_id, const flow::RunState& failed,
                             const Error& error);

/// After so many owners died while folding a run it is quarantined (promise O8).
inline constexpr int kMaxCrashFolds = 3;

}  // namespace wave::engine
