// JSON Schemas of the events, made from the table of kinds.
#include "flow/event.h"

namespace wave::flow {
namespace {

json::object typed(std::string_view type, std::string_view meaning) {
  return {{"type", type}, {"description", meaning}};
}

json::object field_schema(const FieldInfo& field) {
  if (field.type != FieldType::kTime) return typed(to_string(field.type), field.meaning);
  json::object schema = typed("string", field.meaning);
  schema["format"] = "date-time";
  return schema;
}

json::object count(std::string_view meaning) {
  json::object schema = typed("integer", meaning);
  schema["minimum"] = 1;
  return schema;
}

json::object envelope(const KindInfo& kind) {
  json::object time = typed("string", "RFC 3339, UTC, milliseconds; never decreases within a run");
  time["format"] = "date-time";
  return {
      {"v", {{"const", 1}, {"description", "version of this schema"}}},
      {"seq", count("1, 2, 3 ... without holes within a run")},
      {"run_id", typed("string", "the run")},
      {"ts", std::move(time)},
      {"event", {{"const", kind.name}, {"description", kind.meaning}}},
      {"step", typed("string", "the step's id")},
      {"persona", typed("string", "the persona that does the step")},
      {"attempt", count("the attempt within the visit")},
      {"visit", count("how often the step was begun afresh")},
      {"actor", typed("string", "who caused it")},
  };
}

}  // namespace

json::object schema(Kind kind) {
  const KindInfo& about = info(kind);
  json::object properties = envelope(about);
  json::array required{"v", "seq", "run_id", "ts", "event"};
  if (about.of_step) required.emplace_back("step");
  for (const FieldInfo& field : about.fields) {
    properties[field.name] = field_schema(field);
    if (field.required) required.emplace_back(field.name);
  }
  return {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", about.name},
      {"description", about.meaning},
      {"type", "object"},
      {"properties", std::move(properties)},
      {"required", std::move(required)},
      {"additionalProperties", true},
  };
}

}  // namespace wave::flow
