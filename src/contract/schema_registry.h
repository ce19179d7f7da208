// The documents and identifiers of a schema: which schema objects there are, what their base URIs
// are, and where a reference leads.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "contract/json_schema.h"
#include "contract/schema_node.h"

namespace wave::contract {

/// A schema object or boolean found in a document.
struct Location {
  Resource* resource = nullptr;
  std::string place;
};

/// Where a reference leads.
struct Target {
  const json::value* schema = nullptr;
  const Resource* resource = nullptr;
  std::string anchor;  // when it was named by a plain anchor
};

/// An error in a schema, with its place.
Error schema_error(std::string_view place, std::string_view what, std::string hint = {});

/// Fills the documents and resources of a CompiledSchema. Not for sharing between threads.
class SchemaRegistry {
 public:
  SchemaRegistry(CompiledSchema& compiled, const SchemaOptions& options)
      : compiled_(compiled), options_(options) {}

  /// Takes in a document that was found at `uri` ("" for the one to compile).
  Result<const json::value*> add_document(const std::string& uri, json::value document);
  /// Where `reference`, written in a schema of `from`, leads; loads documents.
  Result<Target> resolve(const Resource& from, std::string_view reference, std::string_view place);
  [[nodiscard]] const Location& location(const json::value* schema) const {
    return locations_.at(schema);
  }
  /// Every schema that has been seen so far.
  [[nodiscard]] const std::vector<const json::value*>& schemas() const { return schemas_; }

 private:
  struct Pending {
    const json::value* schema;
    Resource* resource;
    std::string place;
    size_t depth;
  };

  Status walk(const json::value* schema, Resource* resource, std::string place);
  Status visit(const Pending& pending, std::vector<Pending>& todo);
  Result<Resource*> enter(const json::object& schema, const Pending& pending);
  Result<Resource*> enter_identified(const json::object& schema, std::string_view id,
                                     const Pending& pending);
  Status add_anchors(const json::object& schema, const json::value* value, Resource& resource,
                     std::string_view place);
  Status add_anchor(Resource& resource, std::string_view name, const json::value* schema,
                    std::string_view place);
  Status push_held(const json::value& held, std::string_view keyword, const Pending& from,
                   Resource* resource, std::vector<Pending>& todo);
  Result<Draft> draft_of(const json::object& schema, Draft inherited, std::string_view place) const;
  Result<Resource*> find_or_load(const std::string& uri, std::string_view reference,
                                 std::string_view place);
  Result<Target> follow_pointer(Resource& resource, std::string_view pointer,
                                std::string_view reference, std::string_view place);

  CompiledSchema& compiled_;
  const SchemaOptions& options_;
  std::map<std::string, Resource*, std::less<>> by_uri_;
  std::unordered_map<const json::value*, Location> locations_;
  std::vector<const json::value*> schemas_;
};

}  // namespace wave::contract
