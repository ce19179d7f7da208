// JSON Schema, draft 7 and 2020-12, over Boost.JSON. A schema is compiled once; validating
// allocates for errors, unevaluated* and uniqueItems only. Regular expressions by RE2, by PCRE2
// with a match limit where RE2 cannot.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace wave::contract {

struct SchemaError {
  std::string instance;  // JSON pointer into the instance: "/items/3/name"; "" is the root
  std::string schema;    // JSON pointer of the keyword: "/properties/name/type"
  std::string keyword;
  std::string message;  // "must be a string, is a number (3)"
};

struct SchemaOptions {
  /// Gives the text of a schema by absolute URI, for $ref to other documents; none: kNotFound.
  std::function<Result<std::string>(std::string_view uri)> load;
  /// When $schema is absent: "draft-07" or "2020-12".
  std::string default_draft = "2020-12";
  bool check_formats = false;  // `format` asserts; else it annotates
  size_t max_errors = 50;
};

/// Thread: validate from any, at the same time.
class JsonSchema {
 public:
  /// kUsage with the place when the schema itself is wrong.
  static Result<JsonSchema> compile(const json::value& schema, const SchemaOptions& options = {});
  JsonSchema(JsonSchema&&) noexcept;
  JsonSchema& operator=(JsonSchema&&) noexcept;
  ~JsonSchema();

  /// Empty when the instance is valid. kLimit when evaluation passes its budget of steps (schemas
  /// and instances are foreign), kUsage when the schema turns out to refer to itself without end.
  [[nodiscard]] Result<std::vector<SchemaError>> validate(const json::value& instance) const;

 private:
  struct Impl;
  explicit JsonSchema(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave::contract
