// Where the file tools of a restricted agent may go: its workspace, and for reading the project's
// checkout too.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/permissions.h"

namespace wave::agent {

/// Absolute paths. An empty `project`: nothing but the workspace may be read.
struct FileRoots {
  std::filesystem::path workspace, project;
  std::vector<std::filesystem::path> hidden;  // of the project: wave's state, other workspaces
};

json::object to_json(const FileRoots& roots);
FileRoots file_roots_from_json(const json::object& object);

/// Why this use of a file tool is not permitted, or the empty string. Every path it names has to be
/// inside, as it is written and after every symbolic link; elsewhere only a pattern whose argument
/// begins with "/" lets it go. Nothing lets it write git's files or wave's in the workspace. What
/// cannot be looked at is refused. Other tools are not looked at.
std::string file_refusal(const model::EffectivePermissions& permissions, std::string_view tool,
                         const json::object& input, const FileRoots& roots);

}  // namespace wave::agent
