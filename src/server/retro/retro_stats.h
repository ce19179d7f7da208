// What many retrospectives say together: what fails where, what is flaky, what gets dearer. Pure.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "flow/retro.h"

namespace wave::server::retro {

/// Median of the older half and of the newer half of the runs.
struct Drift {
  double earlier = 0, later = 0;
  /// later / earlier - 1; 0 when there is nothing to compare.
  [[nodiscard]] double change() const { return earlier > 0 ? later / earlier - 1 : 0; }
};

struct StepStats {
  std::string step;
  int runs = 0;    // in which it began
  int failed = 0;  // ended as failed or rejected
  int flaky = 0;   // completed, but not at the first attempt
  int retries = 0, reworks = 0, interruptions = 0, failed_contracts = 0;
  double working_p50_ms = 0, working_p90_ms = 0;
  double cost_usd = 0;                  // in all
  std::map<std::string, int> failures;  // failure class -> how often an attempt failed so
};

struct PipelineStats {
  std::string pipeline;
  int runs = 0, completed = 0, failed = 0, rejected = 0, cancelled = 0;
  std::map<std::string, int> smoothness;
  double duration_p50_ms = 0, duration_p90_ms = 0;
  double cost_usd = 0, cost_p50_usd = 0;
  Drift cost, duration;          // of completed runs
  std::vector<StepStats> steps;  // those that make most trouble first
};

using Retros = std::vector<std::shared_ptr<const flow::Retro>>;

/// Of runs that have ended, in any order; by pipeline, most runs first. `step` not empty: only that
/// step of each pipeline.
std::vector<PipelineStats> stats_of(const Retros& retros, const std::string& step = {});

json::object to_json(const PipelineStats& stats);

}  // namespace wave::server::retro
