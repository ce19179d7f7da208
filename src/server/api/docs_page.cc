#include "server/api/docs_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "server/api/examples.h"

namespace wave::server::api {
namespace {

std::string escaped(std::string_view text) {
  std::string html = replace_all(std::string(text), "&", "&amp;");
  html = replace_all(std::move(html), "<", "&lt;");
  html = replace_all(std::move(html), ">", "&gt;");
  return replace_all(std::move(html), "\"", "&quot;");
}

bool is_shown(const Route& route) {
  return route.path.starts_with("/api/") || route.path == "/metrics";
}

std::vector<std::string> tags_of(const RouteTable& routes) {
  std::vector<std::string> tags;
  for (const Route& route : routes.routes()) {
    if (is_shown(route) && std::ranges::find(tags, route.tag) == tags.end())
      tags.push_back(route.tag);
  }
  return tags;
}

std::string schema_link(const std::string& name) {
  if (name.empty()) return {};
  return fmt::format("<a href=\"#schema-{0}\">{0}</a>", escaped(name));
}

std::string route_html(const Route& route) {
  std::string html = fmt::format("<h3 id=\"{}\"><code>{} {}</code>{}</h3>\n<p>{} Role: {}.</p>\n",
                                 escaped(route.operation_id), escaped(route.method),
                                 escaped(route.path), route.deprecated ? " (older name)" : "",
                                 escaped(route.summary), auth::to_string(route.role));
  if (!route.query.empty()) {
    html += "<ul>\n";
    for (const Parameter& parameter : route.query) {
      html += fmt::format("<li><code>{}</code>: {}</li>\n", escaped(parameter.name),
                          escaped(parameter.description));
    }
    html += "</ul>\n";
  }
  if (!route.request_schema.empty()) {
    html += fmt::format("<p>Body: {}</p>\n", schema_link(route.request_schema));
  }
  html += fmt::format("<p>Answer: {} {}</p>\n", route.success,
                      route.response_schema.empty() ? escaped(route.response_type)
                                                    : schema_link(route.response_schema));
  return html;
}

std::string type_of(const json::object& schema) {
  const json::value* type = find(schema, "type");
  if (type == nullptr) return "any";
  if (type->is_string()) return std::string(type->get_string());
  return "any";
}

std::string route_markdown(const Route& route) {
  std::string text = fmt::format("### `{} {}`\n\n{}{} Role: {}.\n\n", route.method, route.path,
                                 route.deprecated ? "Older name. " : "", route.summary,
                                 auth::to_string(route.role));
  if (!route.query.empty()) {
    text += "| Parameter | Type | Meaning |\n|---|---|---|\n";
    for (const Parameter& parameter : route.query) {
      text += fmt::format("| `{}`{} | {} | {} |\n", parameter.name,
                          parameter.repeated ? " (may be repeated)" : "", type_of(parameter.schema),
                          parameter.description);
    }
    text += "\n";
  }
  if (!route.request_schema.empty()) {
    text += fmt::format("Body: `{}`{}. ", route.request_schema,
                        route.body_optional ? ", may be left out" : "");
  }
  text += fmt::format("Answer: {} {}", route.success,
                      route.response_schema.empty() ? "`" + route.response_type + "`"
                                                    : "`" + route.response_schema + "`");
  for (const auto& [status, schema] : route.also) {
    text += fmt::format(", {}{}", status, schema.empty() ? "" : " `" + schema + "`");
  }
  if (route.idempotency_key) text += ". Takes an `Idempotency-Key`";
  return text + fmt::format(".\n\n```sh\n{}\n```\n\n", curl_example(route));
}

std::string members_markdown(const json::object& schema) {
  const json::object& properties = get_object(schema, "properties");
  if (properties.empty()) {
    const json::value* values = find(schema, "enum");
    return values == nullptr ? "" : fmt::format("One of `{}`.\n\n", dump_json(*values));
  }
  const std::vector<std::string> required = get_strings(schema, "required");
  std::string text = "| Member | Type | Meaning |\n|---|---|---|\n";
  for (const auto& [name, member] : properties) {
    if (!member.is_object()) continue;
    const json::object& about = member.get_object();
    std::string type;
    if (const json::value* found = find(about, "type"); found != nullptr) {
      type = found->is_array() ? std::string(found->get_array().front().get_string()) + " or null"
                               : std::string(found->get_string());
    } else {
      const std::string all = dump_json(member);
      const size_t at = all.find("#/components/schemas/");
      if (at != std::string::npos) {
        type = "`" + all.substr(at + 21, all.find('"', at) - at - 21) + "`";
        if (all.contains("\"null\"")) type += " or null";
      }
    }
    const bool always = std::ranges::find(required, std::string(name)) != required.end();
    text += fmt::format("| `{}`{} | {} | {} |\n", std::string(name), always ? "" : " (optional)",
                        type, std::string(get_string(about, "description")));
  }
  return text + "\n";
}

}  // namespace

std::string docs_html(const RouteTable& routes, const Schemas& schemas) {
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>wave: HTTP API</title>\n"
      "</head>\n<body>\n<main>\n<h1>wave: HTTP API</h1>\n"
      "<p>For programs: <a href=\"openapi.json\">openapi.json</a></p>\n";
  for (const std::string& tag : tags_of(routes)) {
    html += fmt::format("<h2>{}</h2>\n", escaped(tag));
    for (const Route& route : routes.routes()) {
      if (route.tag == tag && is_shown(route)) html += route_html(route);
    }
  }
  html += "<h2>Schemas</h2>\n";
  for (const auto& [name, schema] : schemas.all()) {
    html +=
        fmt::format("<details id=\"schema-{0}\"><summary>{0}</summary><pre>{1}</pre></details>\n",
                    escaped(name), escaped(pretty_json(schema)));
  }
  return html + "</main>\n</body>\n</html>\n";
}

std::string docs_markdown(const RouteTable& routes, const Schemas& schemas) {
  std::string text =
      "# HTTP API\n\n"
      "This page is made from the route table (`./dev docs`). `GET /api/openapi.json` gives the "
      "same "
      "to\nprograms, `GET /api/docs` to browsers.\n\n"
      "Bodies are JSON. Unknown members and parameters are refused (400). Times are RFC 3339 UTC "
      "with\nmilliseconds, durations end in `_ms`. Absent things are `null` or left out. Lists are "
      "pages\n(`{<noun>: [], next_cursor, has_more}`). Errors are `application/problem+json` with "
      "`code`, `hint`,\n`errors[]` and `request_id`. A run is named by its id, or by a prefix that "
      "no other run has.\n\n"
      "The examples are for a POSIX shell in the project's folder, where `WAVE_SERVER` is such as\n"
      "`http://127.0.0.1:8080`, and `RUN`, `STEP`, `PIPELINE` and so on name what you have. Where "
      "the\nserver asks for a credential, add `-H \"Authorization: Bearer $WAVE_TOKEN\"`. The "
      "first "
      "status behind\n\"Answer\" is what an example gets.\n\n";
  for (const std::string& tag : tags_of(routes)) {
    text += fmt::format("## {}\n\n", tag);
    for (const Route& route : routes.routes()) {
      if (route.tag == tag && is_shown(route)) text += route_markdown(route);
    }
  }
  text += "## Schemas\n\n";
  for (const auto& [name, schema] : schemas.all()) {
    if (name.ends_with("Event") || name.ends_with("Frame")) continue;  // docs/events.md
    text += fmt::format("### {}\n\n{}\n\n{}", name, std::string(get_string(schema, "description")),
                        members_markdown(schema));
  }
  return text;
}

}  // namespace wave::server::api
