// Parsing a template whose places in the file are known better than "starts at pos".
#pragma once

#include "model/template.h"

namespace wave::model {

/// Gives the position of the placeholder whose "{{" is the `ordinal`-th of the text (from 0), at
/// byte `offset` of it.
using PlaceholderPos = std::function<SourcePos(size_t ordinal, size_t offset)>;

/// parse_template with positions from `pos_of`.
Template parse_template_at(std::string_view text, const PlaceholderPos& pos_of,
                           std::string_view key, const TemplateScope& scope,
                           Diagnostics& diagnostics);

}  // namespace wave::model
