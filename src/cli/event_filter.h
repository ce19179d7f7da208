// Which events `wave logs --errors` shows.
#pragma once

#include <string_view>

namespace wave::cli {

/// Whether the event tells of something that went wrong.
bool is_error_event(std::string_view event_line);

}  // namespace wave::cli
