#include "agent/tools.h"

#include "base/text.h"

namespace wave::agent {

bool is_read_only_tool(std::string_view name) {
  constexpr std::string_view kReadOnly[] = {"Read",     "Glob",       "Grep",        "LS",
                                            "WebFetch", "WebSearch",  "TaskList",    "TaskGet",
                                            "TodoRead", "ToolSearch", "NotebookRead"};
  return std::ranges::find(kReadOnly, name) != std::end(kReadOnly);
}

std::string tool_target(const json::object& input) {
  constexpr std::string_view kKeys[] = {"file_path",     "notebook_path", "path",  "command",
                                        "pattern",       "url",           "query", "skill",
                                        "subagent_type", "description",   "name"};
  constexpr size_t kMaxTarget = 200;
  for (const auto key : kKeys) {
    const std::string_view value = trim(get_string(input, key));
    if (!value.empty()) return replace_all(excerpt(value, kMaxTarget), "\n", " ");
  }
  return {};
}

}  // namespace wave::agent
