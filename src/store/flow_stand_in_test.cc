// Stand-in for the functions of flow that the store calls, until flow has its sources. To be
// deleted when they are there.
#include <array>

#include "flow/event.h"
#include "flow/state.h"

namespace wave::flow {
namespace {

constexpr std::array kKinds{
    KindInfo{Kind::kRunQueued, "run_queued", "", false, true, {}},
    KindInfo{Kind::kRunStarted, "run_started", "", false, true, {}},
    KindInfo{Kind::kRunCompleted, "run_completed", "", false, true, {}},
    KindInfo{Kind::kRunFailed, "run_failed", "", false, true, {}},
    KindInfo{Kind::kStepStarted, "step_started", "", true, true, {}},
    KindInfo{Kind::kStepCompleted, "step_completed", "", true, true, {}},
    KindInfo{Kind::kStreamActivity, "stream_activity", "", true, false, {}},
    KindInfo{Kind::kGateWaiting, "gate_waiting", "", true, true, {}},
    KindInfo{Kind::kGateResolved, "gate_resolved", "", true, true, {}},
    KindInfo{Kind::kArtifactCreated, "artifact_created", "", true, true, {}},
    KindInfo{Kind::kWarningRaised, "warning_raised", "", false, true, {}},
};

constexpr std::array kStatuses{
    std::pair{RunStatus::kQueued, std::string_view("queued")},
    std::pair{RunStatus::kRunning, std::string_view("running")},
    std::pair{RunStatus::kWaiting, std::string_view("waiting")},
    std::pair{RunStatus::kCompleted, std::string_view("completed")},
    std::pair{RunStatus::kCompletedEmpty, std::string_view("completed_empty")},
    std::pair{RunStatus::kFailed, std::string_view("failed")},
    std::pair{RunStatus::kRejected, std::string_view("rejected")},
    std::pair{RunStatus::kCancelled, std::string_view("cancelled")},
};

}  // namespace

const KindInfo& info(Kind kind) {
  for (const KindInfo& row : kKinds) {
    if (row.kind == kind) return row;
  }
  return kKinds.back();
}

std::optional<Kind> kind_from_name(std::string_view name) {
  for (const KindInfo& row : kKinds) {
    if (row.name == name) return row.kind;
  }
  return std::nullopt;
}

std::string encode(const Event& event) {
  json::object line{{"v", 1},
                    {"seq", event.seq},
                    {"run_id", event.run_id},
                    {"ts", format_time(event.ts)},
                    {"event", to_string(event.kind)}};
  if (!event.step.empty()) line["step"] = event.step;
  for (const auto& [key, value] : event.data) line[key] = value;
  return dump_json(line);
}

std::string_view to_string(RunStatus status) {
  for (const auto& [value, word] : kStatuses) {
    if (value == status) return word;
  }
  return {};
}

std::optional<RunStatus> run_status_from_name(std::string_view name) {
  for (const auto& [value, word] : kStatuses) {
    if (word == name) return value;
  }
  return std::nullopt;
}

bool is_terminal(RunStatus status) {
  return status != RunStatus::kQueued && status != RunStatus::kRunning &&
         status != RunStatus::kWaiting;
}

}  // namespace wave::flow
