// Rows from a server's JSON (decisions/0012, "Shapes"). What is missing or null is empty: a newer
// server may leave out what we know.
#pragma once

#include "base/json.h"
#include "store/store.h"

namespace wave::cli::remote {

flow::RunRow run_row(const json::object& run);
flow::StepRow step_row(const json::object& step);
flow::GateRow gate_row(const json::object& gate);
/// GET /api/runs/{id}: {seq, run, steps, gates, artifacts}.
store::RunDetails run_details(const json::object& detail);

}  // namespace wave::cli::remote
