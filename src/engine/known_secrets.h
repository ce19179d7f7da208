// What is masked in everything that a run or a server stores and shows (promise S6).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/manifest.h"

namespace wave::engine {

/// The secrets of the environment (base/redact.h), and those that the manifest holds: literally, or
/// as a variable whose own name need not say that it is one.
std::vector<std::string> known_secrets(const model::Manifest& manifest,
                                       const std::map<std::string, std::string>& environment);

}  // namespace wave::engine
