// `requires.tools`: whether the programs that a pipeline asks for are there, before a run of it is
// accepted.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "model/project.h"

namespace wave::engine {

/// Where programs are looked for.
struct ToolQuestion {
  const std::map<std::string, std::string>& environment;  // wave's own; steps get a PATH made of it
  const json::object& forge;                              // forge_facts, for `{{ forge.* }}`
};

/// Whether the programs that the pipeline, and all that it may call, require are on the PATH that
/// steps get; else kInvalidPipeline, an error for each with its place and remedy. Reads the file
/// system.
Status check_tools(const model::Project& project, const ToolQuestion& question);

struct MachineQuestion {
  const std::filesystem::path& folder;  // the project's
  const std::map<std::string, std::string>& environment;
};

/// The same, an error each, for a project in whose folder nothing has been asked yet.
model::Diagnostics missing_tools(const model::Project& project, const MachineQuestion& question);

}  // namespace wave::engine
