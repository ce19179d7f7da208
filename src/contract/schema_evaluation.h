// One validation of one instance against a compiled schema.
#pragma once

#include <optional>
#include <vector>

#include "contract/json_schema.h"
#include "contract/schema_node.h"

namespace wave::contract {

/// Bounds of one validation.
struct EvaluationLimits {
  uint64_t steps = 20'000'000;  // subschemas applied, values compared; some seconds at worst
  size_t depth = 600;           // nested applications of subschemas; some KiB of stack each
  size_t errors = 50;
};

/// Empty when the instance is valid; kLimit when a bound is passed, kUsage when the schema refers
/// to itself without end.
Result<std::vector<SchemaError>> evaluate_schema(const Node& root, const json::value& instance,
                                                 const EvaluationLimits& limits);

}  // namespace wave::contract
