#include "server/api/schemas.h"

#include <fmt/core.h>

#include <set>

#include "server/api/add_schemas.h"

namespace wave::server {
namespace {

constexpr std::string_view kComponents = "#/components/schemas/";
constexpr std::string_view kDefinitions = "#/$defs/";

/// Makes references point into $defs, and notes what they name.
void localize(json::value& value, std::set<std::string>& names) {
  if (json::array* array = value.if_array()) {
    for (json::value& item : *array) localize(item, names);
    return;
  }
  json::object* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) {
    if (key == "$ref" && member.is_string()) {
      const std::string target(member.get_string());
      if (!target.starts_with(kComponents)) continue;
      const std::string name = target.substr(kComponents.size());
      names.insert(name);
      member = fmt::format("{}{}", kDefinitions, name);
      continue;
    }
    localize(member, names);
  }
}

/// Refuses members that are not named, wherever members are named.
void close(json::value& value) {
  if (json::array* array = value.if_array()) {
    for (json::value& item : *array) close(item);
    return;
  }
  json::object* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) close(member);
  const json::value* properties = object->if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return;
  if (!object->contains("additionalProperties")) (*object)["additionalProperties"] = false;
}

}  // namespace

void Schemas::add(std::string name, json::object schema) {
  schemas_.insert_or_assign(std::move(name), std::move(schema));
}

const json::object* Schemas::find(std::string_view name) const {
  const auto found = schemas_.find(name);
  return found == schemas_.end() ? nullptr : &found->second;
}

Result<contract::JsonSchema> Schemas::compile(std::string_view name, Openness openness) const {
  json::object definitions;
  std::set<std::string> wanted{std::string(name)};
  while (!wanted.empty()) {
    const std::string next = wanted.extract(wanted.begin()).value();
    if (definitions.contains(next)) continue;
    const json::object* schema = find(next);
    if (schema == nullptr) {
      return fail(Code::kInternal, fmt::format("there is no schema named {}", next));
    }
    json::value copy = *schema;
    localize(copy, wanted);
    if (openness == Openness::kClosed) close(copy);
    definitions[next] = std::move(copy);
  }
  const json::object document{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                              {"$ref", fmt::format("{}{}", kDefinitions, name)},
                              {"$defs", std::move(definitions)}};
  return contract::JsonSchema::compile(document, {.load = {}, .check_formats = true});
}

void add_api_schemas(Schemas& schemas) {
  add_run_schemas(schemas);
  add_gate_schemas(schemas);
  add_catalogue_schemas(schemas);
  add_server_schemas(schemas);
}

}  // namespace wave::server
