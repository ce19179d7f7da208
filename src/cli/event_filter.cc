#include "cli/event_filter.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace wave::cli {

bool is_error_event(std::string_view event_line) {
  constexpr std::array<std::string_view, 11> kBad{
      "step_failed",      "step_rejected",  "step_retrying", "step_reworking",
      "step_interrupted", "run_failed",     "run_rejected",  "contract_failed",
      "hook_failed",      "warning_raised", "budget_warning"};
  const Result<json::value> parsed = parse_json(event_line);
  if (!parsed || !parsed->is_object()) return false;
  const json::object& event = parsed->get_object();
  const std::string_view kind = get_string(event, "event");
  if (std::ranges::find(kBad, kind) != kBad.end()) return true;
  if (kind == "agent_exited") return !get_bool(event, "succeeded", true);
  return kind == "stream_activity" && get_bool(event, "is_error");
}

}  // namespace wave::cli
