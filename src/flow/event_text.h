// Events as lines for people: what the command line and the server show alike.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace wave::flow {

/// One event as a plain line with a time, for pipes and logs: "12:00:03 build: started (attempt
/// 2)". Empty for events that are not worth a line.
std::string plain_line(std::string_view event_line, bool with_activity);
/// Whether the event tells of something that went wrong.
bool is_error_event(std::string_view event_line);

/// What a budget_warning says.
std::string budget_text(const json::object& event);
/// What a stream_activity says in one line: "Edit src/main.c", "says: ..."
std::string activity_line(const json::object& event);

}  // namespace wave::flow
