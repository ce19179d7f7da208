#include "server/api/log_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"

namespace wave::server::api {
namespace {

constexpr size_t kMostLineText = 2000;
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};

std::string one_line(std::string_view text) {
  std::string line = excerpt(trim(text), kMostLineText);
  std::erase_if(line, [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == '\x7f';
  });
  std::ranges::replace(line, '\n', ' ');
  std::ranges::replace(line, '\t', ' ');
  return line;
}

LogLevel level_of(std::string_view kind, const json::object& event) {
  static const std::set<std::string_view> kErrors{"run_failed", "run_rejected", "step_failed",
                                                  "step_rejected"};
  static const std::set<std::string_view> kWarnings{
      "step_retrying",  "step_reworking", "step_interrupted", "contract_failed", "hook_failed",
      "budget_warning", "warning_raised", "run_cancelled",    "step_cancelled"};
  static const std::set<std::string_view> kDetails{
      "stream_activity", "outputs_collected", "checkpoint_created", "hook_passed",
      "timer_set",       "timer_fired",       "workspace_created"};
  if (kind == "step_failed" && get_bool(event, "tolerated")) return LogLevel::kWarning;
  if (kErrors.contains(kind)) return LogLevel::kError;
  if (kWarnings.contains(kind)) return LogLevel::kWarning;
  if (kind == "agent_exited") {
    return get_bool(event, "succeeded", true) ? LogLevel::kInfo : LogLevel::kWarning;
  }
  if (kind == "stream_activity" && get_bool(event, "is_error")) return LogLevel::kWarning;
  return kDetails.contains(kind) ? LogLevel::kDebug : LogLevel::kInfo;
}

std::string activity_text(const json::object& event) {
  std::string text(get_string(event, "kind"));
  if (const auto tool = get_string(event, "tool_name"); !tool.empty()) {
    text = fmt::format("{} {}", tool, get_string(event, "tool_target"));
  }
  if (const auto content = get_string(event, "content"); !content.empty()) {
    text += fmt::format(": {}", content);
  }
  return text;
}

std::string text_of(std::string_view kind, const json::object& event) {
  if (kind == "stream_activity") return activity_text(event);
  std::string text = replace_all(std::string(kind), "_", " ");
  // What tells one event of a kind from another, in the order people read it.
  constexpr std::array<std::string_view, 12> kTelling{"persona", "name",    "type",   "pipeline",
                                                      "prompt",  "outcome", "choice", "target",
                                                      "status",  "reason",  "text",   "message"};
  for (const std::string_view field : kTelling) {
    const std::string_view value = get_string(event, field);
    if (!value.empty()) text += fmt::format("{} {}", field == kTelling[0] ? " by" : ",", value);
  }
  if (const int64_t attempt = get_int(event, "attempt"); attempt > 1) {
    text += fmt::format(" (attempt {})", attempt);
  }
  if (const auto actor = get_string(event, "actor"); !actor.empty()) {
    text += fmt::format(" ({})", actor);
  }
  return text;
}

}  // namespace

std::string_view to_string(LogLevel level) {
  return kLevels[static_cast<size_t>(level)];
}

std::optional<LogLevel> log_level_from_name(std::string_view name) {
  const auto found = std::ranges::find(kLevels, name);
  if (found == kLevels.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kLevels.begin());
}

std::optional<LogLine> log_line(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const json::object& event = parsed->get_object();
  LogLine result;
  result.event = get_string(event, "event");
  result.seq = static_cast<uint64_t>(get_int(event, "seq"));
  result.ts = parse_time(get_string(event, "ts")).value_or(WallTime{});
  result.level = level_of(result.event, event);
  result.step = get_string(event, "step");
  result.text = one_line(text_of(result.event, event));
  return result;
}

json::object to_json(const LogLine& line) {
  return {{"seq", line.seq},
          {"ts", format_time(line.ts)},
          {"level", to_string(line.level)},
          {"event", line.event},
          {"step", line.step.empty() ? json::value(nullptr) : json::value(line.step)},
          {"text", line.text}};
}

std::string to_text(const LogLine& line) {
  return fmt::format("{} {:<7} {}{}{}\n", format_time(line.ts), to_string(line.level), line.step,
                     line.step.empty() ? "" : ": ", line.text);
}

}  // namespace wave::server::api
