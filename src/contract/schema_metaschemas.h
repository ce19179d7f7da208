// The metaschemas of draft 7 and 2020-12: schemas may refer to them, and no network is needed for
// it.
#pragma once

#include <optional>
#include <string_view>

namespace wave::contract {

/// The text of the metaschema with this absolute URI (without a fragment), if it is one of those.
/// Source: json-schema.org (draft-07; 2020-12 and its vocabularies).
std::optional<std::string_view> metaschema_text(std::string_view uri);

}  // namespace wave::contract
