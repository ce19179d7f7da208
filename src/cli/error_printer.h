// Errors, printed in one form: what happened, where, why, what to do next (promise O6).
#pragma once

#include <string>

#include "base/error.h"
#include "base/json.h"

namespace wave::cli {

/// "error[code]: message", the place, the causes, the hint; ends with a newline.
std::string error_text(const Error& error, bool colors);
/// {"error": {"code", "message", "hint", "source", "causes"}}
json::object error_json(const Error& error);

}  // namespace wave::cli
