// The values of `format`, as checks of strings (JSON Schema validation 2020-12 section 7.3; draft 7
// section 7.3).
#pragma once

#include <string_view>

namespace wave::contract {

/// Checks whether `text` (UTF-8) has the format.
using FormatCheck = bool (*)(std::string_view text);

/// The check for a format's name; null for a name that nobody defined, which asserts nothing.
FormatCheck find_format(std::string_view name);

}  // namespace wave::contract
