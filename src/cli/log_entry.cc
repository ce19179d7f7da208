#include "cli/log_entry.h"

#include <algorithm>
#include <array>

#include "cli/render.h"
#include "cli/view_model.h"

namespace wave::cli {
namespace {

Result<json::object> event_of(std::string_view line) {
  WAVE_TRY(json::value parsed, parse_json(line));
  if (!parsed.is_object()) return fail(Code::kStore, "an event is not an object");
  return std::move(parsed.get_object());
}

/// What is said of the event, without time and step in front.
std::string message_of(const json::object& event, std::string_view line) {
  if (get_string(event, "event") == "stream_activity") {
    return std::string(get_string(event, "content", activity_line(event)));
  }
  std::string text = plain_line(line, true);
  const std::string_view step = get_string(event, "step");
  const size_t prefix = step.empty() ? 9 : 9 + step.size() + 2;
  return text.size() > prefix ? text.substr(prefix) : text;
}

}  // namespace

json::object log_entry(std::string_view event_line) {
  const Result<json::object> event = event_of(event_line);
  if (!event) return {};
  const json::object& usage = get_object(*event, "usage");
  return {{"seq", get_int(*event, "seq")},
          {"timestamp", get_string(*event, "ts")},
          {"state", get_string(*event, "event")},
          {"step_id", get_string(*event, "step")},
          {"persona", get_string(*event, "persona")},
          {"message", message_of(*event, event_line)},
          {"tokens_used", get_int(usage, "tokens_in") + get_int(usage, "tokens_out") +
                              get_int(usage, "tokens_cache_write")},
          {"duration_ms", get_int(*event, "duration_ms")}};
}

bool is_error_event(std::string_view event_line) {
  constexpr std::array<std::string_view, 11> kBad{
      "step_failed",      "step_rejected",  "step_retrying", "step_reworking",
      "step_interrupted", "run_failed",     "run_rejected",  "contract_failed",
      "hook_failed",      "warning_raised", "budget_warning"};
  const Result<json::object> event = event_of(event_line);
  if (!event) return false;
  const std::string_view kind = get_string(*event, "event");
  if (std::ranges::find(kBad, kind) != kBad.end()) return true;
  if (kind == "agent_exited") return !get_bool(*event, "succeeded", true);
  return kind == "stream_activity" && get_bool(*event, "is_error");
}

}  // namespace wave::cli
