// What an agent is told about the contracts its work is held against.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/pipeline.h"

namespace wave::agent {

/// A section that lists every contract an agent can do something about; empty if there is none.
/// `commands`: the rendered command of each contract, by index, empty where it has none.
std::string contracts_section(const std::vector<model::Contract>& contracts,
                              const std::vector<std::string>& commands);

/// A document that has the form a JSON schema asks for, with placeholders as values. Bounded in
/// depth and size; null for a schema that says nothing about it.
json::value schema_skeleton(const json::object& schema);

/// `text` in a fence that is longer than any run of backquotes in it.
std::string fenced(std::string_view text, std::string_view language = {});

}  // namespace wave::agent
