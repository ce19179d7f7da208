// Yes or no, from a person.
#pragma once

#include <string>

#include "base/result.h"

namespace wave::cli {

/// Asks on the terminal. kUsage when there is nobody to ask: `option` is the command's own that
/// says yes.
Result<bool> ask(const std::string& question, const std::string& option);

}  // namespace wave::cli
