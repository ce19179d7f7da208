// Yes or no, from a person.
#pragma once

#include <string>

#include "base/result.h"

namespace wave::cli {

/// Asks on the terminal. kUsage when there is nobody to ask.
Result<bool> ask(const std::string& question);

}  // namespace wave::cli
