// From a parsed command line to the command.
#pragma once

#include "base/result.h"
#include "cli/context.h"
#include "cli/parse.h"

namespace wave::cli {

Result<int> dispatch(Context& context, const CommandOptions& options);

}  // namespace wave::cli
