// State -> rows that lists and details are read from; written in the transaction of the events.
#pragma once

#include <string>
#include <vector>

#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

struct RunRow {
  std::string run_id, pipeline, status, actor, input, waiting_reason, origin_run_id, failed_step,
      error_code, error_message;
  json::object tags;
  uint64_t last_seq = 0;
  std::optional<WallTime> queued_at, started_at, finished_at;
  WallTime updated_at{};
  int steps_total = 0, steps_done = 0;
  Usage usage;
  bool resuming = false;
};

struct StepRow {
  int index = 0;
  std::string step, status, persona, adapter, model, error_code, error_message, workspace, reason;
  int visit = 0, attempt = 0, interruptions = 0;
  std::optional<WallTime> started_at, finished_at;
  Usage usage;
};

struct GateRow {
  std::string gate_id, step, type, prompt, default_choice, outcome, choice, text, by, via;
  json::array choices;
  std::vector<std::string> approvers;  // who may answer (model/approvers.h); empty: everybody
  bool freeform = false, resolved = false, forbid_self_approval = false;
  std::optional<WallTime> opened_at, deadline, decided_at;
};

/// What changed since `since_seq` (0: everything).
struct Projection {
  RunRow run;
  std::vector<StepRow> steps;
  std::vector<GateRow> gates;
  std::vector<Artifact> artifacts;
};

Projection project(const Program& program, const RunState& state, uint64_t since_seq);

}  // namespace wave::flow
