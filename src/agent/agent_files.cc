#include "agent/agent_files.h"

#include <system_error>

#include "base/text.h"

namespace wave::agent {

std::string agent_file(const AgentRequest& request, std::string_view extension) {
  const std::string name = is_safe_name(request.step) ? request.step : "step";
  return fmt::format(".agents/agent/{}.{}", name, extension);
}

Result<std::string> self_program(const std::map<std::string, std::string>& own) {
  if (const auto named = own.find("WAVE_SELF"); named != own.end()) return named->second;
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return fail(errno_error(error.value(), "cannot find the running program"));
  // A program that was replaced on disk while it runs: the new one is meant.
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
  return path;
}

FileRoots file_roots(const AgentRequest& request) {
  return {.workspace = request.workspace, .project = request.project, .hidden = request.hidden};
}

void add_variables(const std::map<std::string, std::string>& variables,
                   std::map<std::string, std::string>& env) {
  for (const auto& [name, value] : variables) {
    const bool credential = name == "WAVE_TOKEN" || name == "WAVE_SERVER" ||
                            name.starts_with("WAVE_JWT") || name == "WAVE_SELF";
    if (!credential) env[name] = value;
  }
}

}  // namespace wave::agent
