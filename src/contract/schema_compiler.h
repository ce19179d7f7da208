// From a schema's JSON to a graph of nodes: identifiers are collected, references followed,
// keywords checked. Everything that is wrong with a schema is found here.
#pragma once

#include <memory>

#include "base/result.h"
#include "contract/json_schema.h"
#include "contract/schema_node.h"

namespace wave::contract {

/// kUsage with the place when the schema is wrong, kLimit when it is too large.
Result<std::unique_ptr<const CompiledSchema>> compile_schema(const json::value& schema,
                                                             const SchemaOptions& options);

}  // namespace wave::contract
