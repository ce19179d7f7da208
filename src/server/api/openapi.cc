#include "server/api/openapi.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "server/api/schema_words.h"
#include "server/stream/control_frames.h"

namespace wave::server {
namespace {

constexpr std::string_view kAbout =
    "Runs pipelines of coding agents, and tells what becomes of them. Times are RFC 3339 UTC with "
    "milliseconds, durations are milliseconds. Absent things are null. Lists are pages: give "
    "`next_cursor` as `cursor` for the next one. Errors are problem+json.";

json::object json_content(std::string_view schema) {
  return {{"application/json", json::object{{"schema", words::named(schema)}}}};
}

json::object problem_answer(std::string_view meaning) {
  return {{"description", meaning},
          {"content", json::object{{"application/problem+json",
                                    json::object{{"schema", words::named("Problem")}}}}}};
}

std::string_view meaning_of(int status) {
  switch (status) {
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "Nothing to say";
    case 206:
      return "The part that was asked for";
    case 503:
      return "Not now";
    default:
      return "Done";
  }
}

/// One frame of a stream (HTML standard, "Server-sent events"): OpenAPI 3.1 has no other way to say
/// that a body is many of them.
json::object frame() {
  json::array said{words::named("Event")};
  for (const stream::ControlSchema& control : stream::control_schemas()) {
    said.push_back(words::named(control.name));
  }
  json::object data{{"type", "string"},
                    {"contentMediaType", "application/json"},
                    {"contentSchema", json::object{{"anyOf", std::move(said)}}}};
  return {{"description", "one frame of the stream"},
          {"type", "object"},
          {"properties", json::object{{"id", json::object{{"type", "string"}}},
                                      {"event", json::object{{"type", "string"}}},
                                      {"data", std::move(data)},
                                      {"retry", json::object{{"type", "integer"}}}}}};
}

json::object success_answer(const Route& route) {
  json::object answer{{"description", meaning_of(route.success)}};
  if (!route.response_schema.empty() && route.response_type == "application/json") {
    answer["content"] = json_content(route.response_schema);
    return answer;
  }
  if (route.response_type == "text/event-stream") {
    answer["content"] = json::object{{route.response_type, json::object{{"schema", frame()}}}};
    return answer;
  }
  if (route.success == 204 || route.response_type.empty()) return answer;
  json::object content{{route.response_type, json::object{{"schema", json::object{}}}}};
  if (!route.response_schema.empty()) {
    content["application/json"] = json::object{{"schema", words::named(route.response_schema)}};
  }
  answer["content"] = std::move(content);
  return answer;
}

json::object answers(const Route& route) {
  json::object answers;
  answers[std::to_string(route.success)] = success_answer(route);
  for (const auto& [status, schema] : route.also) {
    json::object answer{{"description", meaning_of(status)}};
    if (!schema.empty()) answer["content"] = json_content(schema);
    answers[std::to_string(status)] = std::move(answer);
  }
  if (route.method == "GET" && !route.response_schema.empty()) {
    answers["304"] = json::object{{"description", "Not modified since the ETag that was given"}};
  }
  if (route.role != auth::Role::kNobody) {
    answers["401"] = problem_answer("Nobody knows who calls");
    answers["403"] = problem_answer(
        fmt::format("The caller may not: it takes the role {}", auth::to_string(route.role)));
  }
  answers["default"] = problem_answer("An error");
  return answers;
}

json::array parameters(const Route& route) {
  json::array list;
  std::string_view rest = route.path;
  for (size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const size_t close = rest.find('}', open);
    std::string name(rest.substr(open + 1, close - open - 1));
    std::string meaning = name == "id" ? "the run's id, or a prefix that no other run has" : "";
    if (name.ends_with("...")) {
      name.resize(name.size() - 3);
      meaning = "a path; may contain slashes";
    }
    json::object parameter{{"name", name},
                           {"in", "path"},
                           {"required", true},
                           {"schema", json::object{{"type", "string"}, {"minLength", 1}}}};
    if (!meaning.empty()) parameter["description"] = meaning;
    list.push_back(std::move(parameter));
    rest.remove_prefix(close + 1);
  }
  for (const Parameter& query : route.query) {
    json::object schema = query.schema;
    if (query.repeated) schema = json::object{{"type", "array"}, {"items", std::move(schema)}};
    list.push_back(json::object{{"name", query.name},
                                {"in", "query"},
                                {"description", query.description},
                                {"schema", std::move(schema)}});
  }
  if (route.idempotency_key) {
    list.push_back(json::object{
        {"name", "Idempotency-Key"},
        {"in", "header"},
        {"description", "the same key and body are carried out once, however often they are sent"},
        {"schema", json::object{{"type", "string"}, {"minLength", 1}, {"maxLength", 255}}}});
  }
  return list;
}

json::object operation(const Route& route) {
  json::object operation{{"operationId", route.operation_id},
                         {"tags", json::array{json::value(route.tag)}},
                         {"summary", route.summary},
                         {"x-wave-role", auth::to_string(route.role)}};
  if (route.deprecated) operation["deprecated"] = true;
  if (json::array list = parameters(route); !list.empty())
    operation["parameters"] = std::move(list);
  if (!route.request_schema.empty()) {
    json::object content = json_content(route.request_schema);
    if (!route.text_member.empty()) {
      // A schema would be about what the YAML says, and to find that out is what is asked for.
      content["application/yaml"] = json::object{
          {"schema", json::object{{"description", "stands for the member " + route.text_member}}}};
    }
    operation["requestBody"] =
        json::object{{"required", !route.body_optional}, {"content", std::move(content)}};
  } else if (route.raw_body) {
    operation["requestBody"] =
        json::object{{"required", true},
                     {"content", json::object{{"*/*", json::object{{"schema", json::object{}}}}}}};
  }
  operation["responses"] = answers(route);
  if (route.role == auth::Role::kNobody) {
    operation["security"] = json::array{json::object{}};
  }
  return operation;
}

json::object security_schemes() {
  return {{"bearer", json::object{{"type", "http"},
                                  {"scheme", "bearer"},
                                  {"bearerFormat", "JWT"},
                                  {"description", "auth.mode jwt"}}},
          {"session", json::object{{"type", "apiKey"},
                                   {"in", "cookie"},
                                   {"name", "wave_session"},
                                   {"description", "browsers, after a login"}}},
          {"certificate", json::object{{"type", "mutualTLS"}, {"description", "auth.mode mtls"}}}};
}

}  // namespace

json::object openapi_document(const RouteTable& routes, const Schemas& schemas,
                              std::string_view version, std::string_view base_path) {
  json::object paths;
  std::vector<std::string> tags;
  for (const Route& route : routes.routes()) {
    if (!route.path.starts_with("/api/") && route.path != "/metrics") continue;
    const std::string path = replace_all(route.path, "...}", "}");
    json::value& item = paths[path];
    if (!item.is_object()) item = json::object{};
    item.as_object()[to_lower(route.method)] = operation(route);
    if (std::ranges::find(tags, route.tag) == tags.end()) tags.push_back(route.tag);
  }
  json::array tag_list;
  for (const std::string& tag : tags) tag_list.push_back(json::object{{"name", tag}});
  json::object components;
  for (const auto& [name, schema] : schemas.all()) components[name] = schema;
  return {{"openapi", "3.1.0"},
          {"info", json::object{{"title", "wave"}, {"version", version}, {"description", kAbout}}},
          {"servers", json::array{json::object{{"url", base_path.empty() ? "/" : base_path}}}},
          {"tags", std::move(tag_list)},
          {"security", json::array{json::object{}, json::object{{"bearer", json::array{}}},
                                   json::object{{"session", json::array{}}},
                                   json::object{{"certificate", json::array{}}}}},
          {"paths", std::move(paths)},
          {"components", json::object{{"schemas", std::move(components)},
                                      {"securitySchemes", security_schemes()}}}};
}

}  // namespace wave::server
