// ${NAME} in a configured text.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace wave {

/// Replaces every ${NAME} by the variable's value; "$$" is a dollar sign. kInvalidManifest for a
/// variable that is not set, and for a brace that is not closed; `key` is named in the error.
Result<std::string> expand_environment(const std::string& text,
                                       const std::map<std::string, std::string>& environment,
                                       const std::string& key);

}  // namespace wave
