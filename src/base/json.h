// JSON helpers over Boost.JSON: bounded parsing, compact and pretty printing, typed look-ups that
// never throw.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace wave {

namespace json = boost::json;

/// Parses exactly one JSON text. Depth is limited to `max_depth`; the error says at which byte,
/// line and column it stopped. The input's size is the caller's to bound.
Result<json::value> parse_json(std::string_view text, size_t max_depth = 128);
/// One line, no spaces, numbers as people write them (0.0123, not 1.23E-2); behind what `out`
/// holds.
void append_json(std::string& out, const json::value& value);
/// The same as a text of its own.
std::string dump_json(const json::value& value);
/// Indented by two spaces, ends without a newline.
std::string pretty_json(const json::value& value);

/// The member's value if it is there and of that type; else nothing (or the fallback).
const json::value* find(const json::object& object, std::string_view key);
std::string_view get_string(const json::object& object, std::string_view key,
                            std::string_view fallback = {});
int64_t get_int(const json::object& object, std::string_view key, int64_t fallback = 0);
double get_double(const json::object& object, std::string_view key, double fallback = 0);
bool get_bool(const json::object& object, std::string_view key, bool fallback = false);
/// The member, if it is an object or array; a shared empty one otherwise.
const json::object& get_object(const json::object& object, std::string_view key);
const json::array& get_array(const json::object& object, std::string_view key);
std::vector<std::string> get_strings(const json::object& object, std::string_view key);
json::array to_array(const std::vector<std::string>& values);

/// Follows a path such as ".a.b[0].c" or "a.b" (the leading dot is optional).
Result<json::value> json_path(const json::value& value, std::string_view path);
/// A value as text for a template: scalars bare, objects and arrays as JSON.
std::string json_to_text(const json::value& value);

}  // namespace wave
