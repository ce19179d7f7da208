// Pipelines from a seed: random graphs of commands and gates with everything that can go wrong
// declared.
#pragma once

#include <map>
#include <string>

#include "sim_random.h"

namespace wave::sim {

/// Files of a project (path -> text) with one pipeline named "sim".
std::map<std::string, std::string> generate_project(uint64_t seed);

}  // namespace wave::sim
