// Artifact names as file and variable names.
#pragma once

#include <string>
#include <string_view>

namespace wave::workspace {

/// `text` as one component of a path: no '/', no control bytes, neither "." nor "..", at most 200
/// bytes, never empty.
std::string safe_component(std::string_view text);
/// WAVE_DEP_<STEP>_<NAME>: upper case, everything but letters and digits as '_'.
std::string dependency_variable(std::string_view step, std::string_view name);
/// The archived copy's file name: the artifact's name, with ".json" for json unless it has it.
std::string archive_name(std::string_view name, std::string_view type);

}  // namespace wave::workspace
