#include "support/answer_check.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>
#include <vector>

#include "base/text.h"
#include "contract/json_schema.h"
#include "support/program.h"

namespace wave::test {
namespace {

constexpr std::string_view kComponents = "#/components/schemas/";
constexpr std::string_view kProblem = "application/problem+json";

/// Makes references point into $defs, notes what they name, and refuses members without a name.
void prepare(json::value& value, std::set<std::string>& names) {
  if (json::array* array = value.if_array()) {
    for (json::value& item : *array) prepare(item, names);
    return;
  }
  json::object* object = value.if_object();
  if (object == nullptr) return;
  for (auto& [key, member] : *object) {
    if (key == "$ref" && member.is_string() &&
        std::string_view(member.get_string()).starts_with(kComponents)) {
      const std::string name(std::string_view(member.get_string()).substr(kComponents.size()));
      names.insert(name);
      member = "#/$defs/" + name;
      continue;
    }
    prepare(member, names);
  }
  const json::value* properties = object->if_contains("properties");
  if (properties == nullptr || !properties->is_object()) return;
  if (!object->contains("additionalProperties")) (*object)["additionalProperties"] = false;
}

json::value standalone(const json::object& components, const json::value& schema) {
  json::object definitions;
  std::set<std::string> wanted;
  json::value root = schema;
  prepare(root, wanted);
  while (!wanted.empty()) {
    const std::string name = wanted.extract(wanted.begin()).value();
    if (definitions.contains(name)) continue;
    json::value copy = components.at(name);
    prepare(copy, wanted);
    definitions[name] = std::move(copy);
  }
  return json::object{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                      {"allOf", json::array{std::move(root)}},
                      {"$defs", std::move(definitions)}};
}

struct Template {
  std::vector<std::string> segments;
  const json::object* item = nullptr;
  int literals = 0;

  [[nodiscard]] bool matches(const std::vector<std::string>& path) const {
    const bool takes_rest = segments.back() == "{path}";
    if (takes_rest ? path.size() < segments.size() : path.size() != segments.size()) return false;
    for (size_t at = 0; at < segments.size(); ++at) {
      if (!segments[at].starts_with('{') && segments[at] != path[at]) return false;
      if (path[at].empty() && segments[at].starts_with('{')) return false;
    }
    return true;
  }
};

std::string media_type(std::string_view header) {
  return to_lower(trim(header.substr(0, header.find(';'))));
}

}  // namespace

struct AnswerCheck::Impl {
  json::object document;
  std::vector<Template> templates;
  mutable std::mutex mutex;
  mutable std::map<std::string, contract::JsonSchema> compiled;  // by the schema's text

  [[nodiscard]] const json::object& components() const {
    return document.at("components").at("schemas").as_object();
  }

  [[nodiscard]] const json::object* item_of(std::string_view target) const {
    const std::vector<std::string> path = split(target.substr(0, target.find('?')), '/');
    const Template* best = nullptr;
    for (const Template& candidate : templates) {
      if (!candidate.matches(path)) continue;
      if (best == nullptr || candidate.literals > best->literals) best = &candidate;
    }
    return best == nullptr ? nullptr : best->item;
  }

  [[nodiscard]] std::string fits(const json::value& schema, std::string_view text) const {
    const auto value = parse_json(text);
    if (!value) return "the body is not JSON: " + value.error().message;
    const std::lock_guard lock(mutex);
    const std::string key = dump_json(schema);
    auto known = compiled.find(key);
    if (known == compiled.end()) {
      auto made = contract::JsonSchema::compile(standalone(components(), schema),
                                                {.load = {}, .check_formats = true});
      if (!made) return "the schema cannot be used: " + made.error().message;
      known = compiled.emplace(key, *std::move(made)).first;
    }
    const auto errors = known->second.validate(*value);
    if (!errors) return errors.error().message;
    if (errors->empty()) return {};
    return errors->front().instance + " " + errors->front().message;
  }

  /// An error that no row is needed for: a problem, whatever was asked.
  [[nodiscard]] std::string problem(const Seen& seen, std::string_view type) const {
    if (seen.status < 400) return "there is no such path in the document";
    if (seen.method == "HEAD") return {};
    if (type != kProblem) return fmt::format("the error is {}, no problem+json", type);
    if (!seen.body) return {};
    return fits(json::object{{"$ref", std::string(kComponents) + "Problem"}}, *seen.body);
  }

  [[nodiscard]] std::string declared(const Seen& seen, const json::object& answer,
                                     const std::string& type) const {
    const json::object& content = get_object(answer, "content");
    if (content.empty()) {
      return seen.body && !seen.body->empty() ? "there is a body, and none is documented" : "";
    }
    const bool packed = seen.headers.contains("content-encoding");
    for (const auto& [media, about] : content) {
      const std::string_view known(media.data(), media.size());
      if (known != "*/*" && known != type) continue;
      const bool json = type == "application/json" || type == kProblem;
      if (!json || !seen.body || packed || seen.method == "HEAD" || known == "*/*") return {};
      return fits(about.at("schema"), *seen.body);
    }
    return fmt::format("its type is {}, which is not documented", type);
  }
};

AnswerCheck::AnswerCheck(const json::object& document) : impl_(std::make_unique<Impl>()) {
  impl_->document = document;
  for (const auto& [path, item] : impl_->document.at("paths").as_object()) {
    Template made{.segments = split(std::string_view(path.data(), path.size()), '/'),
                  .item = &item.as_object(),
                  .literals = 0};
    made.literals = static_cast<int>(std::ranges::count_if(
        made.segments, [](const std::string& segment) { return !segment.starts_with('{'); }));
    impl_->templates.push_back(std::move(made));
  }
}

AnswerCheck::~AnswerCheck() = default;

std::string AnswerCheck::answer(const Seen& seen) const {
  const bool ours = seen.target.starts_with("/api/") || seen.target == "/metrics";
  if (seen.status == 0 || !ours) return {};
  const auto header = seen.headers.find("content-type");
  const std::string type = header == seen.headers.end() ? "" : media_type(header->second);
  if (seen.status == 500) return "an internal error";
  if (!seen.headers.contains("x-request-id")) return "it has no X-Request-Id";
  const json::object* item = impl_->item_of(seen.target);
  if (item == nullptr) return impl_->problem(seen, type);
  const std::string method = seen.method == "HEAD" ? "get" : to_lower(seen.method);
  const json::object& operation = get_object(*item, method);
  if (operation.empty()) {
    const bool says_what = seen.headers.contains("allow");
    if (method == "options") {
      return seen.status == 204 && says_what ? "" : "OPTIONS is not answered with Allow";
    }
    if (seen.status == 405 && !says_what) return "405 without Allow";
    return impl_->problem(seen, type);
  }
  const json::object& answers = get_object(operation, "responses");
  if (const json::value* answer = find(answers, std::to_string(seen.status))) {
    return impl_->declared(seen, answer->as_object(), type);
  }
  if (seen.status < 400) return fmt::format("the status {} is not documented", seen.status);
  return impl_->problem(seen, type);
}

std::string AnswerCheck::frame(const std::string& event, const std::string& data) const {
  for (const auto& [name, schema] : impl_->components()) {
    const json::object& properties = get_object(schema.as_object(), "properties");
    if (get_string(get_object(properties, "event"), "const") != event) continue;
    return impl_->fits(
        json::object{{"$ref", std::string(kComponents) + std::string(name.data(), name.size())}},
        data);
  }
  return "there is no schema of this kind of event";
}

const json::object& published_document() {
  static const json::object document = [] {
    const Exit printed = run({WAVE_OPENAPI}, "/", {});
    auto parsed = parse_json(printed.out);
    if (!parsed) {
      std::fprintf(stderr, "%s printed no description of the API\n", WAVE_OPENAPI);
      std::abort();
    }
    return parsed->as_object();
  }();
  return document;
}

const AnswerCheck& published_check() {
  static const AnswerCheck check(published_document());
  return check;
}

}  // namespace wave::test
