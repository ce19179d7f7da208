// The named JSON Schemas (draft 2020-12) of what goes in and out. Router, OpenAPI document and
// tests read the same ones.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "contract/json_schema.h"

namespace wave::server {

/// Filled once at start, then read only. A schema refers to another one by
/// {"$ref": "#/components/schemas/Name"}: words::named writes it.
class Schemas {
 public:
  void add(std::string name, json::object schema);
  /// Null when there is none of that name.
  [[nodiscard]] const json::object* find(std::string_view name) const;
  [[nodiscard]] const std::map<std::string, json::object, std::less<>>& all() const {
    return schemas_;
  }

  enum class Openness {
    kAsWritten,
    kClosed,  // members that no schema names are wrong: for tests of our own answers
  };
  /// The schema with everything it refers to, ready to check instances. kInternal when a name is
  /// missing.
  [[nodiscard]] Result<contract::JsonSchema> compile(
      std::string_view name, Openness openness = Openness::kAsWritten) const;

 private:
  std::map<std::string, json::object, std::less<>> schemas_;
};

/// Those of this folder: runs, gates, catalogue, server, problems.
void add_api_schemas(Schemas& schemas);

}  // namespace wave::server
