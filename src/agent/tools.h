// What is known about the tools of coding agents by their names.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace wave::agent {

/// Whether using this tool changes nothing: it does not count as progress for the stall watchdog.
bool is_read_only_tool(std::string_view name);

/// What a tool is used on, in one line of at most 200 bytes: a file, a command, an address.
std::string tool_target(const json::object& input);

}  // namespace wave::agent
