// What a git that was broken off leaves in the object store: its unfinished packs and objects,
// which may be as large as the files that it was reading, and which git itself keeps for two weeks.
#pragma once

#include <filesystem>

#include "workspace/git_dir.h"

namespace wave::workspace {

/// Removes files of unfinished objects that were written to since `since`, that no process has
/// open, and that stay like that for a moment: another git renames its own as soon as it has closed
/// them.
void remove_abandoned_objects(const GitDir& repository, std::filesystem::file_time_type since);

}  // namespace wave::workspace
