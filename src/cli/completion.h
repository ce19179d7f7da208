// Completion scripts for shells, made from the commands' declarations. What has to be looked up
// (pipelines, runs) the script asks `wave __complete` for, each time.
#pragma once

#include <string>
#include <vector>

#include "cli/parse.h"

namespace wave::cli {

std::string bash_completion(const std::vector<CommandInfo>& commands,
                            const std::vector<OptionInfo>& global);
std::string zsh_completion(const std::vector<CommandInfo>& commands,
                           const std::vector<OptionInfo>& global);
std::string fish_completion(const std::vector<CommandInfo>& commands,
                            const std::vector<OptionInfo>& global);

}  // namespace wave::cli
