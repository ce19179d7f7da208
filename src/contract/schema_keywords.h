// Which keywords hold schemas, in which draft, and how.
#pragma once

#include <optional>
#include <string_view>

#include "contract/schema_node.h"

namespace wave::contract {

/// How a keyword's value holds schemas.
enum class Holds {
  kSchema,
  kSchemas,          // an array of them, not empty
  kNamedSchemas,     // an object of them
  kSchemaOrSchemas,  // draft 7's `items`
  kSchemasOrNames,   // draft 7's `dependencies`: an object of schemas or arrays of names
};

/// What `keyword` holds in `draft`; nothing when it holds no schemas there.
std::optional<Holds> schemas_held_by(std::string_view keyword, Draft draft);

}  // namespace wave::contract
