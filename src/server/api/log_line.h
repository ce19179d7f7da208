// An event as one line of a log, for people.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace wave::server::api {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
std::string_view to_string(LogLevel level);
std::optional<LogLevel> log_level_from_name(std::string_view name);

struct LogLine {
  uint64_t seq = 0;
  WallTime ts{};
  LogLevel level = LogLevel::kInfo;
  std::string event, step;
  std::string text;  // one line, no control characters
};

/// Nothing when `line` is not an event.
std::optional<LogLine> log_line(std::string_view line);
json::object to_json(const LogLine& line);
/// "2026-11-23T17:48:08.123Z warning plan: ..." and a newline.
std::string to_text(const LogLine& line);

}  // namespace wave::server::api
