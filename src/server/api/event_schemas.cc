#include "server/api/event_schemas.h"

#include <fmt/core.h>

#include "server/api/schema_words.h"
#include "server/stream/control_frames.h"

namespace wave::server {
namespace {

using namespace words;

void add_frames(Schemas& schemas) {
  for (stream::ControlSchema& control : stream::control_schemas()) {
    control.schema.erase("$schema");
    schemas.add(std::string(control.name), std::move(control.schema));
  }
}

}  // namespace

std::string event_schema_name(flow::Kind kind) {
  std::string name;
  bool upper = true;
  for (const char c : flow::to_string(kind)) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name += upper ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return name + "Event";
}

void add_event_schemas(Schemas& schemas) {
  json::array any;
  json::object mapping;
  for (const flow::KindInfo& kind : flow::all_kinds()) {
    const std::string name = event_schema_name(kind.kind);
    json::object schema = flow::schema(kind.kind);
    schema.erase("$schema");
    schemas.add(name, std::move(schema));
    mapping[kind.name] = get_string(named(name), "$ref");
    any.push_back(named(name));
  }
  schemas.add("Event", {{"description", "What happened to a run."},
                        {"oneOf", std::move(any)},
                        {"discriminator", json::object{{"propertyName", "event"},
                                                       {"mapping", std::move(mapping)}}}});
  add_frames(schemas);
}

}  // namespace wave::server
