// Rows of runs and steps, for people and for programs. Key names are upstream's where it has them.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "flow/projection.h"
#include "store/store.h"

namespace wave::cli {

json::object run_json(const flow::RunRow& row, const std::string& current_step, WallTime now);
json::object step_json(const flow::StepRow& row, WallTime now);
json::object gate_json(const std::string& run_id, const flow::GateRow& gate);

/// A heading and one line per run.
std::string runs_table(const std::vector<flow::RunRow>& rows, WallTime now, bool colors);
/// A run with its steps and the gates that wait.
std::string run_text(const store::RunDetails& details, WallTime now, bool colors, bool unicode);
/// A waiting gate and how to answer it.
std::string gate_text(const std::string& run_id, const flow::GateRow& gate);

/// The steps that are being worked on, as a list of names.
std::string current_steps(const std::vector<flow::StepRow>& steps);

}  // namespace wave::cli
