#include "contract/schema_keywords.h"

#include <array>

namespace wave::contract {
namespace {

enum class In { kBoth, k7, k2020 };

struct Row {
  std::string_view keyword;
  In drafts;
  Holds holds;
};

constexpr std::array kRows{
    Row{"additionalItems", In::k7, Holds::kSchema},
    Row{"items", In::k7, Holds::kSchemaOrSchemas},
    Row{"items", In::k2020, Holds::kSchema},
    Row{"prefixItems", In::k2020, Holds::kSchemas},
    Row{"contains", In::kBoth, Holds::kSchema},
    Row{"additionalProperties", In::kBoth, Holds::kSchema},
    Row{"properties", In::kBoth, Holds::kNamedSchemas},
    Row{"patternProperties", In::kBoth, Holds::kNamedSchemas},
    Row{"propertyNames", In::kBoth, Holds::kSchema},
    Row{"dependencies", In::k7, Holds::kSchemasOrNames},
    Row{"dependentSchemas", In::k2020, Holds::kNamedSchemas},
    Row{"allOf", In::kBoth, Holds::kSchemas},
    Row{"anyOf", In::kBoth, Holds::kSchemas},
    Row{"oneOf", In::kBoth, Holds::kSchemas},
    Row{"not", In::kBoth, Holds::kSchema},
    Row{"if", In::kBoth, Holds::kSchema},
    Row{"then", In::kBoth, Holds::kSchema},
    Row{"else", In::kBoth, Holds::kSchema},
    Row{"unevaluatedItems", In::k2020, Holds::kSchema},
    Row{"unevaluatedProperties", In::k2020, Holds::kSchema},
    Row{"contentSchema", In::k2020, Holds::kSchema},
    // Each draft's word for it is in wide use within the other.
    Row{"definitions", In::kBoth, Holds::kNamedSchemas},
    Row{"$defs", In::kBoth, Holds::kNamedSchemas},
};

}  // namespace

std::optional<Holds> schemas_held_by(std::string_view keyword, Draft draft) {
  for (const Row& row : kRows) {
    const bool here = row.drafts == In::kBoth || (row.drafts == In::k7) == (draft == Draft::k7);
    if (here && row.keyword == keyword) return row.holds;
  }
  return std::nullopt;
}

}  // namespace wave::contract
