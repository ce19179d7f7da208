#include "server/api/event_schemas.h"

#include <fmt/core.h>

#include "server/api/schema_words.h"

namespace wave::server {
namespace {

using namespace words;

json::object constant(std::string_view value) {
  return {{"const", value}};
}

void add_frames(Schemas& schemas) {
  schemas.add("ResetFrame",
              object("The cursor that was given cannot be served: forget what is known.",
                     {{"event", constant("reset")},
                      {"reason", text("why: epoch, future, pruned, malformed ...")}}));
  schemas.add("QueuePositionFrame",
              object("The place of a run that waits for a slot; not part of its log.",
                     {{"event", constant("queue_position")},
                      {"run_id", text("the run")},
                      {"queue_position", nullable(integer("from 1; null: it waits no more", 1))}}));
  schemas.add("BusyFrame",
              object("Too many streams are open: try again later.", {{"event", constant("busy")}}));
  schemas.add("UnauthorizedFrame",
              object("The credential of the stream is not good any more; the stream ends.",
                     {{"event", constant("unauthorized")}, {"reason", text("why")}}));
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
