#include "contract/schema_registry.h"

#include <charconv>

#include "base/text.h"
#include "contract/schema_keywords.h"
#include "contract/schema_metaschemas.h"
#include "contract/schema_uri.h"

namespace wave::contract {
namespace {

constexpr size_t kMaxDepth = 256;
constexpr size_t kMaxSchemas = 200'000;
constexpr size_t kMaxDocuments = 100;
// The base URI of a schema that has no $id.
constexpr std::string_view kUnnamed = "schema:/";

std::string place_in(const std::string& document, std::string_view pointer) {
  return document.empty() ? std::string(pointer) : fmt::format("{}#{}", document, pointer);
}

std::string child_place(std::string_view place, std::string_view token) {
  return fmt::format("{}/{}", place, pointer_token(token));
}

std::optional<size_t> array_index(std::string_view token) {
  if (token.empty() || (token.size() > 1 && token[0] == '0')) return std::nullopt;
  size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  if (error != std::errc() || end != token.data() + token.size()) return std::nullopt;
  return index;
}

const json::value* step_into(const json::value& value, std::string_view token) {
  if (const json::object* object = value.if_object()) return object->if_contains(token);
  const json::array* array = value.if_array();
  const auto index = array_index(token);
  if (array == nullptr || !index || *index >= array->size()) return nullptr;
  return &(*array)[*index];
}

Result<Draft> draft_by_name(std::string_view name, std::string_view place) {
  if (name == "draft-07" || name == "draft-7" || name == "7") return Draft::k7;
  if (name == "2020-12") return Draft::k2020;
  const std::string uri = split_fragment(name).document;
  for (std::string_view scheme : {"http://", "https://"}) {
    if (uri == fmt::format("{}json-schema.org/draft-07/schema", scheme)) return Draft::k7;
    // Draft 6 is draft 7 without if, then and else.
    if (uri == fmt::format("{}json-schema.org/draft-06/schema", scheme)) return Draft::k7;
    if (uri == fmt::format("{}json-schema.org/draft/2020-12/schema", scheme)) return Draft::k2020;
  }
  return fail(schema_error(child_place(place, "$schema"),
                           fmt::format("\"{}\" is not a supported draft", excerpt(name, 120)),
                           "use http://json-schema.org/draft-07/schema# or "
                           "https://json-schema.org/draft/2020-12/schema"));
}

}  // namespace

Error schema_error(std::string_view place, std::string_view what, std::string hint) {
  return {Code::kUsage,
          fmt::format("the schema is wrong at {}: {}",
                      place.empty() ? std::string("its root") : "\"" + excerpt(place, 300) + "\"",
                      what),
          std::move(hint)};
}

Result<const json::value*> SchemaRegistry::add_document(const std::string& uri,
                                                        json::value document) {
  if (compiled_.documents.size() >= kMaxDocuments) {
    return fail(Code::kLimit,
                fmt::format("the schema refers to more than {} documents", kMaxDocuments));
  }
  compiled_.documents.push_back(std::move(document));
  const json::value* root = &compiled_.documents.back();
  Resource& resource = compiled_.resources.emplace_back();
  resource.uri = uri.empty() ? std::string(kUnnamed) : uri;
  resource.root = root;
  WAVE_TRY(resource.draft, draft_by_name(options_.default_draft, ""));
  by_uri_[resource.uri] = &resource;
  WAVE_CHECK(walk(root, &resource, place_in(uri, "")));
  return root;
}

Status SchemaRegistry::walk(const json::value* schema, Resource* resource, std::string place) {
  std::vector<Pending> todo{{schema, resource, std::move(place), 0}};
  while (!todo.empty()) {
    const Pending pending = std::move(todo.back());
    todo.pop_back();
    if (locations_.contains(pending.schema)) continue;
    WAVE_CHECK(visit(pending, todo));
  }
  return {};
}

Status SchemaRegistry::visit(const Pending& pending, std::vector<Pending>& todo) {
  if (pending.depth > kMaxDepth || locations_.size() >= kMaxSchemas) {
    return fail(Code::kLimit, fmt::format("the schema is deeper than {} levels or has more than {} "
                                          "parts",
                                          kMaxDepth, kMaxSchemas));
  }
  if (pending.schema->is_bool()) {
    locations_[pending.schema] = {pending.resource, pending.place};
    schemas_.push_back(pending.schema);
    return {};
  }
  const json::object* object = pending.schema->if_object();
  if (object == nullptr) {
    return fail(schema_error(pending.place, "a schema must be an object, true or false"));
  }
  WAVE_TRY(Resource * resource, enter(*object, pending));
  locations_[pending.schema] = {resource, pending.place};
  schemas_.push_back(pending.schema);
  for (const auto& [keyword, held] : *object) {
    WAVE_CHECK(push_held(held, keyword, pending, resource, todo));
  }
  return {};
}

Result<Draft> SchemaRegistry::draft_of(const json::object& schema, Draft inherited,
                                       std::string_view place) const {
  const json::value* named = schema.if_contains("$schema");
  if (named == nullptr) return inherited;
  if (!named->is_string()) {
    return fail(schema_error(child_place(place, "$schema"), "$schema must be a string"));
  }
  return draft_by_name(named->get_string(), place);
}

// Gives the resource the schema belongs to: a new one if it has an identifier of its own.
Result<Resource*> SchemaRegistry::enter(const json::object& schema, const Pending& pending) {
  Resource* resource = pending.resource;
  const bool is_root = resource->root == pending.schema;
  if (is_root) {
    WAVE_TRY(resource->draft, draft_of(schema, resource->draft, pending.place));
  }
  const json::value* id = schema.if_contains("$id");
  // In draft 7 everything beside a $ref is ignored.
  const bool ignored = resource->draft == Draft::k7 && schema.contains("$ref") && !is_root;
  if (id != nullptr && !ignored) {
    if (!id->is_string()) {
      return fail(schema_error(child_place(pending.place, "$id"), "$id must be a string"));
    }
    WAVE_TRY(resource, enter_identified(schema, id->get_string(), pending));
  }
  WAVE_CHECK(add_anchors(schema, pending.schema, *resource, pending.place));
  return resource;
}

Result<Resource*> SchemaRegistry::enter_identified(const json::object& schema, std::string_view id,
                                                   const Pending& pending) {
  Resource* resource = pending.resource;
  const SplitUri split = split_fragment(resolve_uri(resource->uri, id));
  if (!id.starts_with('#')) {
    if (resource->root != pending.schema) {
      Resource& inner = compiled_.resources.emplace_back();
      inner.root = pending.schema;
      WAVE_TRY(inner.draft, draft_of(schema, resource->draft, pending.place));
      resource = &inner;
    }
    resource->uri = split.document;
    by_uri_.try_emplace(split.document, resource);
  }
  if (split.fragment.empty()) return resource;
  if (resource->draft == Draft::k2020) {
    return fail(schema_error(child_place(pending.place, "$id"),
                             "$id must not have a fragment; use $anchor"));
  }
  // Draft 7 has no $anchor: an $id that is only a fragment is one.
  WAVE_CHECK(add_anchor(*resource, split.fragment, pending.schema, pending.place));
  return resource;
}

Status SchemaRegistry::add_anchors(const json::object& schema, const json::value* value,
                                   Resource& resource, std::string_view place) {
  if (resource.draft == Draft::k7) return {};
  for (std::string_view keyword : {"$anchor", "$dynamicAnchor"}) {
    const json::value* name = schema.if_contains(keyword);
    if (name == nullptr) continue;
    if (!name->is_string() || name->get_string().empty()) {
      return fail(schema_error(child_place(place, keyword), "must be a name"));
    }
    WAVE_CHECK(add_anchor(resource, name->get_string(), value, place));
    if (keyword == "$dynamicAnchor") {
      resource.dynamic_anchors[std::string(name->get_string())] = value;
    }
  }
  return {};
}

Status SchemaRegistry::add_anchor(Resource& resource, std::string_view name,
                                  const json::value* schema, std::string_view place) {
  const auto [at, added] = resource.anchors.try_emplace(std::string(name), schema);
  if (added || at->second == schema) return {};
  return fail(schema_error(place, fmt::format("the anchor \"{}\" is given twice", name)));
}

Status SchemaRegistry::push_held(const json::value& held, std::string_view keyword,
                                 const Pending& from, Resource* resource,
                                 std::vector<Pending>& todo) {
  const auto holds = schemas_held_by(keyword, resource->draft);
  if (!holds) return {};
  const std::string place = child_place(from.place, keyword);
  const auto push = [&](const json::value& schema, std::string schema_place) {
    todo.push_back({&schema, resource, std::move(schema_place), from.depth + 1});
  };
  const bool list =
      *holds == Holds::kSchemas || (*holds == Holds::kSchemaOrSchemas && held.is_array());
  if (list) {
    if (!held.is_array()) return fail(schema_error(place, "must be an array of schemas"));
    if (held.get_array().empty() && *holds == Holds::kSchemas) {
      return fail(schema_error(place, "must not be empty"));
    }
    for (size_t i = 0; i < held.get_array().size(); ++i) {
      push(held.get_array()[i], fmt::format("{}/{}", place, i));
    }
    return {};
  }
  if (*holds != Holds::kNamedSchemas && *holds != Holds::kSchemasOrNames) {
    push(held, place);
    return {};
  }
  if (!held.is_object()) return fail(schema_error(place, "must be an object of schemas"));
  for (const auto& [name, schema] : held.get_object()) {
    if (*holds == Holds::kSchemasOrNames && schema.is_array()) continue;
    push(schema, child_place(place, name));
  }
  return {};
}

Result<Target> SchemaRegistry::resolve(const Resource& from, std::string_view reference,
                                       std::string_view place) {
  const SplitUri uri = split_fragment(resolve_uri(from.uri, reference));
  WAVE_TRY(Resource * resource, find_or_load(uri.document, reference, place));
  const std::string fragment = percent_decode(uri.fragment);
  if (fragment.empty()) return Target{resource->root, resource, {}};
  if (fragment.starts_with('/')) return follow_pointer(*resource, fragment, reference, place);
  const auto anchor = resource->anchors.find(fragment);
  if (anchor == resource->anchors.end()) {
    return fail(schema_error(
        place, fmt::format("$ref leads to the anchor \"{}\", which does not exist", reference)));
  }
  return Target{anchor->second, resource, fragment};
}

Result<Resource*> SchemaRegistry::find_or_load(const std::string& uri, std::string_view reference,
                                               std::string_view place) {
  if (const auto known = by_uri_.find(uri); known != by_uri_.end()) return known->second;
  std::string text;
  if (const auto metaschema = metaschema_text(uri)) {
    text = *metaschema;
  } else {
    auto loaded =
        options_.load
            ? options_.load(uri)
            : Result<std::string>(fail(Code::kNotFound, "there is nothing to load it from"));
    if (!loaded) {
      Error error = schema_error(place,
                                 fmt::format("$ref leads to \"{}\", which cannot be had: {}",
                                             reference, full_message(loaded.error())),
                                 "put the schema it means into this one, below $defs");
      return fail(std::move(error));
    }
    text = *std::move(loaded);
  }
  auto document = parse_json(text);
  if (!document) return fail(document.error().wrapped(fmt::format("the schema \"{}\"", uri)));
  WAVE_TRY([[maybe_unused]] const json::value* root, add_document(uri, *std::move(document)));
  return by_uri_.at(uri);
}

Result<Target> SchemaRegistry::follow_pointer(Resource& resource, std::string_view pointer,
                                              std::string_view reference, std::string_view place) {
  const auto nowhere = [&] {
    return fail(schema_error(
        place, fmt::format("$ref leads to \"{}\", which does not exist", excerpt(reference, 200))));
  };
  const auto tokens = parse_json_pointer(pointer);
  if (!tokens) return nowhere();
  const json::value* at = resource.root;
  Location location = locations_.at(at);
  for (const std::string& token : *tokens) {
    at = step_into(*at, token);
    if (at == nullptr) return nowhere();
    const auto known = locations_.find(at);
    location = known != locations_.end()
                   ? known->second
                   : Location{location.resource, child_place(location.place, token)};
  }
  // Behind a keyword that holds no schemas nothing has been looked at before.
  WAVE_CHECK(walk(at, location.resource, location.place));
  return Target{at, locations_.at(at).resource, {}};
}

}  // namespace wave::contract
