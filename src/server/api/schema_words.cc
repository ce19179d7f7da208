#include "server/api/schema_words.h"

#include <fmt/core.h>

namespace wave::server::words {
namespace {

json::object typed(std::string_view type, std::string_view meaning) {
  return {{"type", type}, {"description", meaning}};
}

}  // namespace

json::object text(std::string_view meaning) {
  return typed("string", meaning);
}

json::object bounded_text(std::string_view meaning, size_t max_length, size_t min_length) {
  json::object schema = text(meaning);
  if (min_length > 0) schema["minLength"] = min_length;
  schema["maxLength"] = max_length;
  return schema;
}

json::object integer(std::string_view meaning, int64_t minimum) {
  json::object schema = typed("integer", meaning);
  schema["minimum"] = minimum;
  return schema;
}

json::object number(std::string_view meaning) {
  return typed("number", meaning);
}

json::object flag(std::string_view meaning) {
  return typed("boolean", meaning);
}

json::object moment() {
  return {{"type", "string"}, {"format", "date-time"}};
}

json::object time(std::string_view meaning) {
  json::object schema = moment();
  schema["description"] = meaning;
  return schema;
}

json::object one_of(std::string_view meaning, std::initializer_list<std::string_view> values) {
  json::object schema = text(meaning);
  json::array allowed;
  for (const std::string_view value : values) allowed.emplace_back(value);
  schema["enum"] = std::move(allowed);
  return schema;
}

json::object list_of(json::object item, std::string_view meaning) {
  json::object schema = typed("array", meaning);
  schema["items"] = std::move(item);
  return schema;
}

json::object map_of(json::object value, std::string_view meaning) {
  json::object schema = typed("object", meaning);
  schema["additionalProperties"] = std::move(value);
  return schema;
}

json::object anything(std::string_view meaning) {
  return {{"description", meaning}};
}

json::object named(std::string_view name) {
  return {{"$ref", fmt::format("#/components/schemas/{}", name)}};
}

json::object nullable(json::object schema) {
  if (json::value* type = schema.if_contains("type"); type != nullptr && type->is_string()) {
    *type = json::array{json::value(*type), "null"};
    if (json::value* values = schema.if_contains("enum")) values->as_array().emplace_back(nullptr);
    return schema;
  }
  return {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
}

json::object object(std::string_view meaning, std::vector<Member> members) {
  json::object properties;
  json::array required;
  for (Member& member : members) {
    if (member.required) required.emplace_back(member.name);
    properties[member.name] = std::move(member.schema);
  }
  json::object schema = typed("object", meaning);
  schema["properties"] = std::move(properties);
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json::object request(std::string_view meaning, std::vector<Member> members,
                     std::vector<std::string_view> required) {
  json::object properties;
  for (Member& member : members) properties[member.name] = std::move(member.schema);
  json::object schema = typed("object", meaning);
  schema["properties"] = std::move(properties);
  if (!required.empty()) {
    json::array names;
    for (const std::string_view name : required) names.emplace_back(name);
    schema["required"] = std::move(names);
  }
  schema["additionalProperties"] = false;
  return schema;
}

json::object page_of(std::string_view noun, std::string_view name) {
  return object(fmt::format("A page of {}.", noun),
                {{noun, list_of(named(name), "in the order asked for")},
                 {"next_cursor", nullable(text("give it as `cursor` for the next page"))},
                 {"has_more", flag("whether there is a next page")}});
}

}  // namespace wave::server::words
