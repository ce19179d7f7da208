#include "server/stream/control_frames.h"

#include <fmt/core.h>

#include "base/text.h"

namespace wave::server::stream {
namespace {

constexpr size_t kMaxCursor = 100;  // bytes of a cursor that are told back

std::string control(std::string_view event, json::object data) {
  data["event"] = event;
  return fmt::format("event: {}\ndata: {}\n\n", event, dump_json(data));
}

json::object text(std::string_view meaning) {
  return {{"type", "string"}, {"description", meaning}};
}

ControlSchema schema_of(std::string_view event, std::string_view name, std::string_view meaning,
                        json::object properties) {
  json::array required{"event"};
  for (const auto& member : properties) required.emplace_back(member.key());
  properties["event"] = json::object{{"const", event}};
  return {.event = event,
          .name = name,
          .schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                     {"title", name},
                     {"description", meaning},
                     {"type", "object"},
                     {"properties", std::move(properties)},
                     {"required", std::move(required)}}};
}

json::value or_null(const std::string& value) {
  return value.empty() ? json::value(nullptr) : json::value(value);
}

json::object nullable(std::string_view type, std::string_view meaning) {
  return {{"type", json::array{type, "null"}}, {"description", meaning}};
}

}  // namespace

std::string retry_frame(Millis wait) {
  return fmt::format("retry: {}\n\n", wait.count());
}

std::string heartbeat_frame() {
  return ": alive\n\n";
}

std::string id_frame(std::string_view id) {
  return fmt::format("id: {}\n\n", id);
}

std::string reset_frame(const Reset& reset) {
  std::string frame;
  if (!reset.starts_after.empty()) frame = fmt::format("id: {}\n", reset.starts_after);
  return frame + control("reset", {{"run_id", or_null(reset.run_id)},
                                   {"reason", reset.reason},
                                   {"message", reset.message},
                                   {"cursor", excerpt(reset.cursor, kMaxCursor)},
                                   {"starts_after", or_null(reset.starts_after)}});
}

std::string busy_frame(std::string_view message, Millis retry) {
  return fmt::format("retry: {}\n", retry.count()) +
         control("busy", {{"message", message}, {"retry_ms", retry.count()}});
}

std::string unauthorized_frame(std::string_view reason) {
  return control("unauthorized", {{"reason", reason}});
}

std::string queue_position_frame(std::string_view run_id, std::optional<int> position) {
  return control("queue_position",
                 {{"run_id", run_id},
                  {"queue_position", position ? json::value(*position) : json::value(nullptr)}});
}

std::vector<ControlSchema> control_schemas() {
  std::vector<ControlSchema> all;
  all.push_back(schema_of(
      "reset", "ResetFrame", "The cursor that was given cannot be served: forget what is known.",
      {{"run_id", nullable("string", "the run; null: all runs")},
       {"reason", {{"enum", {"epoch", "future", "pruned", "malformed"}}, {"description", "why"}}},
       {"message", text("why, in words")},
       {"cursor", text("what was given, cut short when it is long")},
       {"starts_after", nullable("string",
                                 "the id behind which the stream starts; null: it "
                                 "ends here")}}));
  all.push_back(schema_of(
      "busy", "BusyFrame", "Too many streams are open: try again later.",
      {{"message", text("why, in words")}, {"retry_ms", {{"type", "integer"}, {"minimum", 0}}}}));
  all.push_back(
      schema_of("unauthorized", "UnauthorizedFrame",
                "The credential of the stream is not good any more; the stream ends.",
                {{"reason", {{"enum", {"expired", "revoked"}}, {"description", "why"}}}}));
  all.push_back(schema_of("queue_position", "QueuePositionFrame",
                          "The place of a run that waits for a slot; not part of its log.",
                          {{"run_id", text("the run")},
                           {"queue_position",
                            {{"type", {"integer", "null"}},
                             {"minimum", 1},
                             {"description", "null: it waits no more"}}}}));
  return all;
}

}  // namespace wave::server::stream
