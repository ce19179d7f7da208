// The pipeline that `wave do` makes for one task: look around, then act.
#pragma once

#include <string>

#include "base/result.h"
#include "model/manifest.h"

namespace wave::cli {

struct AdhocPipeline {
  std::string path;  // where it would lie, relative to the project root
  std::string name;
  std::string yaml;
};

/// `persona` acts (empty: the project's implementing persona, else its only one). The project's own
/// test command becomes the contract; without one the account of the work has to be there.
Result<AdhocPipeline> adhoc_pipeline(const model::Manifest& manifest, const std::string& persona);

/// `text` as a double-quoted YAML scalar, in which nothing is a template either.
std::string yaml_quoted(std::string_view text);

}  // namespace wave::cli
