// Help texts, made from the commands' own declarations.
#pragma once

#include <string>
#include <vector>

#include "cli/parse.h"

namespace wave::cli {

std::string root_help(const std::vector<CommandInfo>& commands,
                      const std::vector<OptionInfo>& global);
std::string command_help(const CommandInfo& command);

}  // namespace wave::cli
