// Getting the JSON out of what an agent wrote around it (wave-model.md 5.4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace wave::contract {

enum class RecoveryLevel { kNone, kConservative, kProgressive, kAggressive };

struct Recovered {
  json::value value;
  std::vector<std::string> applied;  // names of what was needed, in order; empty: it was plain JSON
};

/// Parses `text`; where it is not JSON, tries what `level` allows, mildest first.
Result<Recovered> recover_json(std::string_view text, RecoveryLevel level);
/// An error wrapper around the real output ({error_type, raw_output, ...}): gives what is inside.
bool is_error_wrapper(const json::value& value);

}  // namespace wave::contract
