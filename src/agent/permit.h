// Whether one use of a tool is permitted: wave's own pattern language, applied at the moment of
// use.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "model/permissions.h"

namespace wave::agent {

/// A pattern in its two parts. `Bash(git *)`: name "Bash", argument "git *".
struct ToolPattern {
  std::string name;
  std::string argument;
  bool has_argument = false;  // false for `Bash` and `Bash(*)`
};

/// kInvalidManifest when it is malformed.
Result<ToolPattern> parse_tool_pattern(std::string_view pattern);

/// Whether these lists leave everything open.
bool is_unrestricted(const model::EffectivePermissions& permissions);

/// One use of a tool. `arguments` are the ways to write what it is used on, each of which a pattern
/// may mean: a path relative to the workspace and absolute, say. `resolved` counts for what is
/// allowed (the path after every link), `arguments` and `resolved` for what is denied.
struct ToolUse {
  std::string tool;
  std::vector<std::string> arguments;
  std::vector<std::string> resolved;
};

/// Makes a ToolUse of the input that an agent gives its tool. `workspace`: what relative paths in
/// patterns are relative to.
ToolUse describe_use(std::string_view tool, const json::object& input,
                     const std::filesystem::path& workspace);

/// Why it is not permitted, or the empty string.
std::string refusal(const model::EffectivePermissions& permissions, const ToolUse& use);

}  // namespace wave::agent
