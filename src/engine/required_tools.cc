#include "engine/required_tools.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

#include "agent/adapter.h"
#include "base/text.h"
#include "engine/project_loading.h"
#include "process/run_command.h"
#include "workspace/workspace.h"

namespace wave::engine {
namespace {

constexpr std::string_view kForgePlaceholder = "{{ forge.";

// What only the repository knows stands in the names as `requires.tools` is read: "{{ forge.x }}".
std::string with_forge(std::string name, const json::object& forge) {
  for (const auto& member : forge) {
    const std::string key(member.key());
    name = replace_all(std::move(name), fmt::format("{}{} }}}}", kForgePlaceholder, key),
                       get_string(forge, key));
  }
  return std::string(trim(name));
}

model::Diagnostics missing_of(const model::Pipeline& pipeline, const ToolQuestion& question) {
  model::Diagnostics missing;
  if (pipeline.required_tools.empty()) return missing;
  const std::string path = agent::base_environment(question.environment, {}, {})["PATH"];
  for (size_t i = 0; i < pipeline.required_tools.size(); ++i) {
    const std::string name = with_forge(pipeline.required_tools[i], question.forge);
    if (name.empty() || process::find_program(name, path)) continue;
    const model::RequiredToolPlace& place = pipeline.required_tool_places[i];
    missing.push_back(
        {model::Severity::kError, Code::kInvalidPipeline, place.pos, place.key,
         fmt::format("there is no program \"{}\" on PATH ({})", excerpt(name, 80),
                     excerpt(path, 300)),
         "install it, put its folder on the PATH that wave is started with, or remove the "
         "requirement"});
  }
  return missing;
}

model::Diagnostics missing_of_all(const model::Project& project, const ToolQuestion& question) {
  model::Diagnostics missing = missing_of(project.pipeline, question);
  for (const auto& [name, child] : project.children) {
    std::ranges::move(missing_of(child, question), std::back_inserter(missing));
  }
  return missing;
}

}  // namespace

Status check_tools(const model::Project& project, const ToolQuestion& question) {
  return check_runnable(missing_of_all(project, question), project.pipeline.name);
}

model::Diagnostics missing_tools(const model::Project& project, const MachineQuestion& question) {
  const auto names_forge = [](const model::Pipeline& pipeline) {
    return std::ranges::any_of(pipeline.required_tools, [](const std::string& name) {
      return name.contains(kForgePlaceholder);
    });
  };
  json::object forge;
  // Asking git takes a process, and lists of pipelines ask for each of theirs.
  if (names_forge(project.pipeline) ||
      std::ranges::any_of(project.children | std::views::values, names_forge)) {
    forge = forge_facts(workspace::git_facts(question.folder).remote_url, project.manifest.forge);
  }
  return missing_of_all(project, {.environment = question.environment, .forge = forge});
}

}  // namespace wave::engine
