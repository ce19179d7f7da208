// Repairs of something that is nearly JSON, one small function each. They work on tokens, so that
// what stands in quotes is never touched by accident.
#pragma once

#include <span>
#include <string_view>

#include "contract/json_recovery.h"
#include "contract/json_tokens.h"

namespace wave::contract {

struct Repair {
  std::string_view name;
  RecoveryLevel level;  // the mildest level that allows it
  /// Changes the tokens; whether there was anything to change.
  bool (*apply)(Tokens& tokens);
};

/// All repairs, mildest first: the order in which they are tried, each on top of those before it.
std::span<const Repair> repairs();

}  // namespace wave::contract
