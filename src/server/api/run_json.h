// Rows of the store as JSON (run_schemas.cc says what is in it).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auth/identity.h"
#include "base/json.h"
#include "engine/gate_approval.h"
#include "flow/program.h"
#include "flow/projection.h"
#include "server/queue/supervisor.h"
#include "store/store.h"

namespace wave::server::api {

/// null for nothing.
json::value text_or_null(const std::string& text);
json::value time_or_null(const std::optional<WallTime>& time);

/// The input is cut to `most_input` bytes.
json::object run_json(const flow::RunRow& row, std::optional<int> position, WallTime now,
                      size_t most_input = std::string::npos);
/// Who `identity` is to a gate.
engine::Person person_of(const auth::Identity& identity);
/// With whether `caller` may answer it.
json::object gate_json(const flow::RunRow& run, const flow::GateRow& gate,
                       const engine::Person& caller);
json::object artifact_json(const flow::Artifact& artifact);

/// One attempt of a step, put together from the log.
struct Attempt {
  int visit = 0, attempt = 0;
  std::string reason, status = "running", adapter, model, failure_class, error_code, error_message;
  std::optional<WallTime> started_at, finished_at;
  flow::Usage usage;
  std::optional<int64_t> exit_code, out_bytes, err_bytes;
};
using Attempts = std::map<std::string, std::vector<Attempt>>;  // by step
/// What the run's next event says about them.
void add_to_attempts(Attempts& attempts, const flow::Event& event);
/// Those that the log tells of up to `last_seq`.
Result<Attempts> read_attempts(store::Store& store, const std::string& run_id, uint64_t last_seq);

json::object step_json(const flow::StepRow& row, const std::string& kind,
                       const std::vector<Attempt>& attempts, WallTime now);

/// Nodes and edges. Cycles are no harm: pipelines that do not load have a graph too.
json::object graph_json(const model::Pipeline& pipeline);

}  // namespace wave::server::api
