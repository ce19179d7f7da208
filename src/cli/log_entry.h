// One line of `wave logs`, for people and for programs.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace wave::cli {

/// {timestamp, state, step_id, persona, message, tokens_used, duration_ms} and the sequence number;
/// upstream's names. An empty object for what is no event.
json::object log_entry(std::string_view event_line);

/// Whether the event tells of something that went wrong.
bool is_error_event(std::string_view event_line);

}  // namespace wave::cli
