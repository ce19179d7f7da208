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

/// Parses `text`; where it is not JSON, tries what `level` allows, mildest first. kUsage, with the
/// place where plain parsing stopped, when nothing helps. Conservative removes decoration (prose,
/// fences, comments, trailing commas) and refuses what looks truncated; progressive also reads
/// other notations (bare keys, single quotes) and takes the largest of several; aggressive guesses
/// what is missing. Texts of more than 1 MiB are not repaired.
Result<Recovered> recover_json(std::string_view text, RecoveryLevel level);
/// Whether it is an error wrapper around the real output: an object with error_type, raw_output and
/// at least three of the wrapper's members. The real output is then in raw_output.
bool is_error_wrapper(const json::value& value);

}  // namespace wave::contract
