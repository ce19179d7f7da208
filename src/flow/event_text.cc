#include "flow/event_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "base/printable.h"
#include "base/text.h"
#include "model/approvers.h"

namespace wave::flow {
namespace {

constexpr size_t kMaxLine = 400;  // bytes kept of any one text

std::string one_line(std::string_view text) {
  return printable(excerpt(trim(text), kMaxLine));
}

std::string clock_of(std::string_view ts) {
  return ts.size() >= 19 ? std::string(ts.substr(11, 8)) : "";
}

std::string gate_plain(const json::object& event) {
  const std::string_view deadline = get_string(event, "deadline");
  if (get_string(event, "type") == "timer") {
    const auto until = parse_time(deadline);
    return until ? "waits until " + format_time(*until) : "waits for its timer";
  }
  std::string keys;
  for (const json::value& choice : get_array(event, "choices")) {
    if (!choice.is_object()) continue;
    const std::string_view key = get_string(choice.get_object(), "key");
    keys += fmt::format("{}{} ({})", keys.empty() ? "" : ", ", key,
                        get_string(choice.get_object(), "label", key));
  }
  std::string text = fmt::format("waits at its gate: {}", trim(get_string(event, "prompt")));
  if (!keys.empty()) text += fmt::format("; choices: {}", keys);
  const std::string who = model::approvers_text(get_strings(event, "approvers"),
                                                get_bool(event, "forbid_self_approval"));
  if (!who.empty()) text += fmt::format("; may answer: {}", who);
  return text + fmt::format("; answer: wave gate {} {}{}", get_string(event, "run_id"),
                            get_string(event, "step"), keys.empty() ? "" : " --choice KEY");
}

std::string step_plain(std::string_view kind, const json::object& event) {
  const std::string_view message = get_string(event, "message");
  const int64_t attempt = get_int(event, "attempt");
  if (kind == "step_started") {
    const std::string_view reason = get_string(event, "reason", "first");
    std::string text = "started";
    if (const auto persona = get_string(event, "persona"); !persona.empty()) {
      text += fmt::format(" by {}", persona);
    }
    if (attempt > 1 || reason != "first") text += fmt::format(" (attempt {}, {})", attempt, reason);
    return text;
  }
  if (kind == "step_completed") {
    return get_string(event, "status") == "empty" ? "completed, nothing to do" : "completed";
  }
  if (kind == "step_failed") {
    return fmt::format("failed: {}{}", message,
                       get_bool(event, "tolerated") ? " (the run goes on)" : "");
  }
  if (kind == "step_retrying")
    return fmt::format("attempt {} failed: {}; tries again", attempt, message);
  if (kind == "step_waiting") return fmt::format("waits: {}", message);
  if (kind == "step_skipped") return fmt::format("skipped: {}", get_string(event, "reason"));
  if (kind == "steps_reset") return "run again: " + join(get_strings(event, "steps"), ", ");
  std::string text(kind.substr(kind.starts_with("step_") ? 5 : 0));
  if (!message.empty()) text += fmt::format(": {}", message);
  return text;
}

std::string detail_plain(std::string_view kind, const json::object& event, bool with_activity) {
  if (kind == "stream_activity") {
    const std::string line = with_activity ? activity_line(event) : std::string();
    return line.empty() ? line : "| " + line;
  }
  if (kind == "contract_passed") return fmt::format("contract {} holds", get_string(event, "type"));
  if (kind == "contract_failed") {
    return fmt::format("contract {} does not hold: {}", get_string(event, "type"),
                       get_string(event, "message"));
  }
  if (kind == "artifact_created") {
    return fmt::format("made {} ({})", get_string(event, "name"),
                       format_size(get_int(event, "size")));
  }
  if (kind == "gate_waiting") return gate_plain(event);
  if (kind == "gate_resolved") {
    std::string text = fmt::format("gate: {}", get_string(event, "outcome"));
    if (const auto choice = get_string(event, "choice"); !choice.empty()) {
      text += fmt::format(", {}", choice);
    }
    if (const auto by = get_string(event, "by"); !by.empty()) text += fmt::format(", by {}", by);
    return text;
  }
  if (kind == "budget_warning") return "warning: " + budget_text(event);
  if (kind == "hook_failed" || kind == "warning_raised") {
    return fmt::format("warning: {}", get_string(event, "message", kind));
  }
  return {};
}

std::string run_plain(std::string_view kind, const json::object& event) {
  if (kind == "run_wait_ended") {
    return fmt::format("the run no longer waits for the {}", get_string(event, "reason"));
  }
  std::string text = "run " + replace_all(std::string(kind.substr(4)), "_", " ");
  if (kind == "run_completed" && get_string(event, "status") == "empty") text += ", nothing to do";
  if (const auto step = get_string(event, "step"); !step.empty())
    text += fmt::format(" at {}", step);
  if (const auto reason = get_string(event, "reason"); !reason.empty()) {
    text += fmt::format(" ({})", reason);
  }
  if (const auto message = get_string(event, "message"); !message.empty()) {
    text += fmt::format(": {}", message);
  }
  return text;
}

}  // namespace

std::string budget_text(const json::object& event) {
  std::string text = fmt::format("the run has cost {}", format_cost(get_double(event, "cost_usd")));
  if (const double ceiling = get_double(event, "ceiling"); ceiling > 0) {
    text += fmt::format(" of {}", format_cost(ceiling));
  }
  return text;
}

std::string activity_line(const json::object& event) {
  const std::string_view kind = get_string(event, "kind");
  const std::string tool(get_string(event, "tool_name"));
  if (kind == "tool_use" && !tool.empty()) {
    return one_line(fmt::format("{} {}", tool, get_string(event, "tool_target")));
  }
  if (kind == "tool_result") return {};
  const std::string content = one_line(get_string(event, "content"));
  if (kind == "thinking" && !content.empty()) return "thinks: " + content;
  return content;
}

std::string plain_line(std::string_view event_line, bool with_activity) {
  const Result<json::value> parsed = parse_json(event_line);
  if (!parsed || !parsed->is_object()) return {};
  const json::object& event = parsed->get_object();
  const std::string_view kind = get_string(event, "event");
  const std::string_view step = get_string(event, "step");
  std::string text;
  if (kind.starts_with("run_")) {
    text = run_plain(kind, event);
  } else if (kind.starts_with("step")) {
    text = step_plain(kind, event);
  } else {
    text = detail_plain(kind, event, with_activity);
  }
  if (text.empty()) return {};
  const bool of_run = step.empty() || kind.starts_with("run_");
  const std::string subject = of_run ? "" : fmt::format("{}: ", step);
  return fmt::format("{} {}", clock_of(get_string(event, "ts")), printable(subject + text));
}

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

}  // namespace wave::flow
