// The few words that schemas are written with.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace wave::server::words {

json::object text(std::string_view meaning);
/// At least one character, at most so many.
json::object bounded_text(std::string_view meaning, size_t max_length, size_t min_length = 0);
json::object integer(std::string_view meaning, int64_t minimum = 0);
json::object number(std::string_view meaning);
json::object flag(std::string_view meaning);
/// RFC 3339, UTC, milliseconds.
json::object time(std::string_view meaning);
/// What a client may write for a time; for parameters, which say their meaning themselves.
json::object moment();
json::object one_of(std::string_view meaning, std::initializer_list<std::string_view> values);
json::object list_of(json::object item, std::string_view meaning);
/// Any names, each with such a value.
json::object map_of(json::object value, std::string_view meaning);
/// Any JSON value.
json::object anything(std::string_view meaning);
json::object named(std::string_view name);
/// The same, or null.
json::object nullable(json::object schema);

struct Member {
  std::string_view name;
  json::object schema;
  bool required = true;
};
/// For `Member::required`: a member that may be absent.
inline constexpr bool kSometimes = false;
/// Members of an answer: all are there, unless they say `false`.
json::object object(std::string_view meaning, std::vector<Member> members);
/// What a client sends: other members are refused, none is required but those listed.
json::object request(std::string_view meaning, std::vector<Member> members,
                     std::vector<std::string_view> required = {});
/// {<noun>: [], next_cursor, has_more}
json::object page_of(std::string_view noun, std::string_view name);

}  // namespace wave::server::words
