#include "server/api/request_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "server/api/problem.h"

namespace wave::server {
namespace {

constexpr size_t kMostDepth = 64;
constexpr size_t kMostFindings = 20;

/// The value as its schema has it: numbers are written in decimal digits and nothing else.
json::value typed(const Parameter& parameter, const std::string& text) {
  if (get_string(parameter.schema, "type") != "integer") return json::value(text);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return json::value(text);
  }
  return json::value(number);
}

std::string_view media_type(const http::Request& request) {
  const std::string_view header = request.headers.find("Content-Type").value_or("");
  return trim(header.substr(0, header.find(';')));
}

bool is_json(std::string_view type) {
  const std::string lower = to_lower(type);
  return lower == "application/json" ||
         (lower.starts_with("application/") && lower.ends_with("+json"));
}

bool is_text(std::string_view type) {
  const std::string lower = to_lower(type);
  return lower == "text/plain" || lower == "text/yaml" || lower == "application/yaml" ||
         lower == "application/x-yaml";
}

/// Strings with a NUL in them would be cut where they become arguments, variables or file names.
bool has_nul(const json::value& value) {
  if (const json::string* text = value.if_string()) {
    return std::string_view(text->data(), text->size()).contains('\0');
  }
  if (const json::array* array = value.if_array()) return std::ranges::any_of(*array, has_nul);
  const json::object* object = value.if_object();
  if (object == nullptr) return false;
  for (const auto& member : *object) {
    const std::string_view key(member.key().data(), member.key().size());
    if (key.contains('\0') || has_nul(member.value())) return true;
  }
  return false;
}

Result<json::value> read_body(const Route& route, const http::Request& request) {
  if (request.body.size() > route.body_limit) {
    return fail(Code::kLimit, fmt::format("the body has {} bytes; {} are taken",
                                          request.body.size(), route.body_limit));
  }
  if (request.body.empty() && route.body_optional) return json::value(json::object{});
  const std::string_view type = media_type(request);
  if (!route.text_member.empty() && is_text(type)) {
    if (to_valid_utf8(request.body) != request.body) {
      return fail(Code::kUsage, "the body is not valid UTF-8");
    }
    return json::value(json::object{{route.text_member, request.body}});
  }
  if (request.body.empty()) {
    return fail(
        Code::kUsage, "the request has no body",
        fmt::format("send a JSON object: schema {} of /api/openapi.json", route.request_schema));
  }
  if (!is_json(type)) {
    return fail(Code::kMediaType,
                type.empty() ? "the body's type is not said"
                             : fmt::format("a body of type {} is not understood", type),
                "send JSON, with Content-Type: application/json");
  }
  auto parsed = parse_json(request.body, kMostDepth);
  if (!parsed) return fail(parsed.error().wrapped("the body is not understood"));
  return parsed;
}

Error does_not_fit(std::string_view what, const std::vector<contract::SchemaError>& errors,
                   std::string hint) {
  Error error(Code::kUsage, fmt::format("{} does not fit its schema", what), std::move(hint));
  for (const contract::SchemaError& found : errors) {
    if (error.others.size() >= kMostFindings) break;
    error.others.push_back(finding(found.instance, found.message));
  }
  if (errors.size() == 1) {
    error.message +=
        fmt::format(": {}{}{}", errors.front().instance, errors.front().instance.empty() ? "" : " ",
                    errors.front().message);
  }
  return error;
}

}  // namespace

Result<RequestChecks> RequestChecks::make(const RouteTable& table, const Schemas& schemas,
                                          bool check_answers) {
  RequestChecks checks(table);
  checks.check_answers_ = check_answers;
  std::map<std::string, Schema> requests;
  for (const Route& route : table.routes()) {
    Row row;
    for (const Parameter& parameter : route.query) {
      WAVE_TRY(
          contract::JsonSchema schema,
          contract::JsonSchema::compile(parameter.schema, {.load = {}, .check_formats = true}));
      row.query[parameter.name] = std::make_shared<const contract::JsonSchema>(std::move(schema));
    }
    if (!route.request_schema.empty()) {
      Schema& schema = requests[route.request_schema];
      if (schema == nullptr) {
        WAVE_TRY(contract::JsonSchema compiled, schemas.compile(route.request_schema));
        schema = std::make_shared<const contract::JsonSchema>(std::move(compiled));
      }
      row.request = schema;
    }
    const auto add_answer = [&](int status, const std::string& name) -> Status {
      row.answers[status] = nullptr;
      if (name.empty() || schemas.find(name) == nullptr) {
        if (name.empty()) return {};
        return fail(Code::kInternal, fmt::format("{} names the schema {}, which is not there",
                                                 route.operation_id, name));
      }
      if (!check_answers) return {};
      WAVE_TRY(contract::JsonSchema schema, schemas.compile(name, Schemas::Openness::kClosed));
      row.answers[status] = std::make_shared<const contract::JsonSchema>(std::move(schema));
      return {};
    };
    WAVE_CHECK(add_answer(route.success, route.response_schema));
    for (const auto& [status, name] : route.also) WAVE_CHECK(add_answer(status, name));
    checks.rows_.push_back(std::move(row));
  }
  if (check_answers) {
    WAVE_TRY(contract::JsonSchema schema, schemas.compile("Problem", Schemas::Openness::kClosed));
    checks.problem_ = std::make_shared<const contract::JsonSchema>(std::move(schema));
  }
  return checks;
}

Result<std::multimap<std::string, std::string>> RequestChecks::query(
    size_t row, const http::Request& request) const {
  const Route& route = table_->routes()[row];
  std::multimap<std::string, std::string> values;
  Error wrong(Code::kUsage, "the query does not fit");
  for (const auto& [name, text] : request.query) {
    const auto known = std::ranges::find(route.query, name, &Parameter::name);
    const std::string pointer = fmt::format("?{}", excerpt(name, 100));
    if (wrong.others.size() >= kMostFindings) break;
    if (known == route.query.end()) {
      std::vector<std::string> names;
      for (const Parameter& parameter : route.query) names.push_back(parameter.name);
      const auto meant = did_you_mean(name, names);
      wrong.others.push_back(
          finding(pointer, meant ? fmt::format("is not known; did you mean \"{}\"?", *meant)
                           : names.empty()
                               ? std::string("is not known; there are no parameters here")
                               : fmt::format("is not known; there are: {}", join(names, ", "))));
      continue;
    }
    if (!known->repeated && values.contains(name)) {
      wrong.others.push_back(finding(pointer, "is given twice"));
      continue;
    }
    if (text.contains('\0') || to_valid_utf8(text) != text) {
      wrong.others.push_back(finding(pointer, "is not valid UTF-8"));
      continue;
    }
    const auto errors = rows_[row].query.at(name)->validate(typed(*known, text));
    if (!errors) return fail(errors.error());
    for (const contract::SchemaError& error : *errors) {
      wrong.others.push_back(finding(pointer, error.message));
    }
    values.emplace(name, text);
  }
  if (wrong.others.empty()) return values;
  const Error& first = wrong.others.front();
  wrong.message =
      fmt::format("the parameter \"{}\" {}", first.source->file.substr(1), first.message);
  return fail(std::move(wrong));
}

Result<json::value> RequestChecks::body(size_t row, const http::Request& request) const {
  const Route& route = table_->routes()[row];
  if (rows_[row].request == nullptr) {
    if (!route.raw_body && !request.body.empty() && route.method != "GET") {
      return fail(Code::kUsage, "this takes no body", "leave the body out");
    }
    return json::value(nullptr);
  }
  WAVE_TRY(json::value body, read_body(route, request));
  WAVE_TRY(const std::vector<contract::SchemaError> errors, rows_[row].request->validate(body));
  if (errors.empty() && has_nul(body)) {
    return fail(Code::kUsage, "the body has a NUL character in a string", "leave it out");
  }
  if (errors.empty()) return body;
  return fail(does_not_fit(
      "the body", errors, fmt::format("see schema {} of /api/openapi.json", route.request_schema)));
}

Status RequestChecks::answer(size_t row, const http::Response& response) const {
  if (!check_answers_ || response.status == 304) return {};
  const Route& route = table_->routes()[row];
  const std::string_view type = response.headers.find("Content-Type").value_or("");
  const bool is_problem = type.starts_with("application/problem+json");
  const auto wrong = [&](std::string what) {
    return fail(Code::kInternal,
                fmt::format("{} answers {} with something else than it promises",
                            route.operation_id, response.status),
                std::move(what));
  };
  Schema schema;
  if (is_problem) {
    schema = problem_;
  } else {
    const auto known = rows_[row].answers.find(response.status);
    if (known == rows_[row].answers.end()) return wrong("the status is not declared");
    schema = known->second;
    if (schema == nullptr || !type.starts_with("application/json")) return {};
  }
  const auto* text = std::get_if<std::string>(&response.body);
  if (text == nullptr) return {};
  const auto parsed = parse_json(*text);
  if (!parsed) return wrong("it is not JSON");
  const auto errors = schema->validate(*parsed);
  if (!errors) return wrong(errors.error().message);
  if (errors->empty()) return {};
  return wrong(fmt::format("{} {}", errors->front().instance, errors->front().message));
}

}  // namespace wave::server
