#include "engine/input_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "contract/json_schema.h"
#include "contract/schema_uri.h"

namespace wave::engine {
namespace {

constexpr std::string_view kWhere = "/input";

Error finding(std::string pointer, std::string message) {
  return Error(Code::kUsage, std::move(message)).at({.file = std::move(pointer)});
}

Error refused(std::vector<Error> findings) {
  Error error(Code::kUsage, "the input is not what the pipeline asks for",
              "GET /api/pipelines/{name} has its schema, and so has the pipeline's `input.schema`");
  error.others = std::move(findings);
  return error;
}

const json::value* at(const json::value& value, std::string_view pointer) {
  boost::system::error_code ignored;
  return value.find_pointer(pointer, ignored);
}

// What is missing, where it should be: an error of `required` names the object only.
std::vector<Error> missing(const json::value& schema, const json::value& input,
                           const contract::SchemaError& error) {
  std::vector<Error> findings;
  const json::value* names = at(schema, error.schema);
  const json::value* object = at(input, error.instance);
  if (names == nullptr || !names->is_array() || object == nullptr || !object->is_object()) {
    return findings;
  }
  for (const json::value& name : names->get_array()) {
    if (!name.is_string() || object->get_object().contains(name.get_string())) continue;
    findings.push_back(finding(
        fmt::format("{}{}/{}", kWhere, error.instance, contract::pointer_token(name.get_string())),
        "is required"));
  }
  return findings;
}

std::vector<Error> findings_of(const json::value& schema, const json::value& input,
                               const std::vector<contract::SchemaError>& errors) {
  std::vector<Error> findings;
  const auto add = [&](Error made) {
    const bool known = std::ranges::any_of(findings, [&](const Error& one) {
      return one.source == made.source && one.message == made.message;
    });
    if (!known) findings.push_back(std::move(made));
  };
  for (const contract::SchemaError& error : errors) {
    std::vector<Error> absent;
    if (error.keyword == "required") absent = missing(schema, input, error);
    for (Error& one : absent) add(std::move(one));
    if (absent.empty()) add(finding(std::string(kWhere) + error.instance, error.message));
  }
  return findings;
}

}  // namespace

bool is_held(const json::object& schema) {
  return std::ranges::any_of(schema, [](const auto& member) {
    return member.key() != "type" && member.key() != "description";
  });
}

bool wants_text(const json::object& schema) {
  const json::value* type = schema.if_contains("type");
  return type != nullptr && type->is_string() && type->get_string() == "string";
}

Status check_input(const model::PipelineInput& wanted, std::string_view input) {
  if (!is_held(wanted.schema)) return {};
  const json::value schema(wanted.schema);
  const auto compiled = contract::JsonSchema::compile(schema, {.check_formats = true});
  if (!compiled) {
    return fail(Code::kInvalidPipeline,
                fmt::format("the pipeline's input.schema is no JSON Schema: {}",
                            full_message(compiled.error())),
                "mend it in the pipeline");
  }
  json::value value(input);
  if (!wants_text(wanted.schema)) {
    auto parsed = parse_json(input);
    if (!parsed) {
      return fail(refused(
          {finding(std::string(kWhere),
                   input.empty() ? "is required" : "has to be JSON: " + parsed.error().message)}));
    }
    value = *std::move(parsed);
  }
  WAVE_TRY(const auto errors, compiled->validate(value));
  if (errors.empty()) return {};
  return fail(refused(findings_of(schema, value, errors)));
}

}  // namespace wave::engine
