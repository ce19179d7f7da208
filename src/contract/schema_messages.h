// The words of validation errors: what is wanted, what is there, what was probably meant. They are
// read by agents that have to repair the instance.
#pragma once

#include <string>

#include "base/json.h"
#include "contract/schema_node.h"

namespace wave::contract {

/// "a string (\"abc\")", "an object with the properties a, b": bounded, whatever comes in.
std::string describe(const json::value& value);
/// A value as JSON, cut to `max_bytes`.
std::string short_json(const json::value& value, size_t max_bytes = 80);
/// "a string or null" for the bits of `type`.
std::string describe_types(unsigned types);
/// The bits of the types the value has.
unsigned type_bits(const json::value& value);

std::string type_message(const Node& node, const json::value& value);
std::string enum_message(const json::array& allowed, const json::value& value);
std::string const_message(const json::value& wanted, const json::value& value);
std::string missing_message(const Node& node, const json::object& object, std::string_view name);
std::string unknown_message(const Node& node, const json::object& object, std::string_view name);
std::string format_message(std::string_view format, std::string_view text);

}  // namespace wave::contract
