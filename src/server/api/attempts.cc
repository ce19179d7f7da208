// The attempts of a run's steps, put together from its log.
#include "flow/event.h"
#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

std::optional<int64_t> number(const json::object& data, std::string_view name) {
  if (find(data, name) == nullptr) return std::nullopt;
  return get_int(data, name);
}

void note_failure(Attempt& attempt, const json::object& data) {
  attempt.failure_class = get_string(data, "failure_class", attempt.failure_class);
  attempt.error_code = get_string(data, "code", attempt.error_code);
  attempt.error_message = get_string(data, "message", attempt.error_message);
}

void note_exit(Attempt& attempt, const json::object& data) {
  attempt.exit_code = number(data, "exit_code");
  attempt.out_bytes = number(data, "out_bytes");
  attempt.err_bytes = number(data, "err_bytes");
  if (const auto model = get_string(data, "model"); !model.empty()) attempt.model = model;
  if (const auto adapter = get_string(data, "adapter"); !adapter.empty()) attempt.adapter = adapter;
  if (!get_bool(data, "succeeded", true)) note_failure(attempt, data);
}

/// The attempt's status after an event that ends it; empty for others.
std::string_view ending(flow::Kind kind) {
  using enum flow::Kind;
  switch (kind) {
    case kStepCompleted:
      return "completed";
    case kStepFailed:
    case kStepRetrying:
    case kStepReworking:
      return "failed";
    case kStepRejected:
      return "rejected";
    case kStepCancelled:
      return "cancelled";
    case kStepSkipped:
      return "skipped";
    case kStepInterrupted:
      return "interrupted";
    default:
      return {};
  }
}

void apply(std::vector<Attempt>& attempts, const flow::Event& event) {
  using enum flow::Kind;
  if (event.kind == kStepStarted) {
    Attempt attempt;
    attempt.visit = std::max(1, event.visit);
    attempt.attempt = std::max(1, event.attempt);
    attempt.reason = get_string(event.data, "reason");
    attempt.adapter = get_string(event.data, "adapter");
    attempt.model = get_string(event.data, "model");
    attempt.started_at = event.ts;
    attempts.push_back(std::move(attempt));
    return;
  }
  if (attempts.empty() || attempts.back().finished_at) return;
  Attempt& last = attempts.back();
  if (event.kind == kAgentExited) note_exit(last, event.data);
  const bool spends =
      event.kind == kAgentExited || event.kind == kContractPassed || event.kind == kContractFailed;
  if (spends) last.usage += flow::usage_from_json(get_object(event.data, "usage"));
  const std::string_view status = ending(event.kind);
  if (status.empty()) return;
  last.status = status;
  last.finished_at = event.ts;
  if (event.kind == kStepCompleted) {
    last.failure_class.clear();
    last.error_code.clear();
    last.error_message.clear();
  } else if (event.kind != kStepSkipped && event.kind != kStepCancelled) {
    note_failure(last, event.data);
  }
}

}  // namespace

void add_to_attempts(Attempts& attempts, const flow::Event& event) {
  if (!event.step.empty()) apply(attempts[event.step], event);
}

Result<Attempts> read_attempts(store::Store& store, const std::string& run_id, uint64_t last_seq) {
  Attempts attempts;
  uint64_t after = 0;
  while (after < last_seq) {
    WAVE_TRY(const auto page, store.events(run_id, {.after = after, .folded_only = true}));
    if (page.empty()) break;
    for (const store::StoredEvent& stored : page) {
      after = stored.seq;
      if (stored.seq > last_seq) return attempts;
      WAVE_TRY(const flow::Event event, flow::decode(stored.line));
      add_to_attempts(attempts, event);
    }
  }
  return attempts;
}

}  // namespace wave::server::api
