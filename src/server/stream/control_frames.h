// Frames that are no events: they are not in the log and, but for `reset`, carry no id.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"

namespace wave::server::stream {

/// "retry: 2000\n\n": how long clients wait before they come back (WHATWG HTML, 9.2).
std::string retry_frame(Millis wait);
/// A comment that keeps proxies and clients from giving up.
std::string heartbeat_frame();
/// Moves a client's Last-Event-ID without an event.
std::string id_frame(std::string_view id);

struct Reset {
  std::string run_id;        // empty: all runs
  std::string reason;        // epoch, future, pruned, malformed
  std::string message;       // in words
  std::string cursor;        // as it was given
  std::string starts_after;  // id behind which the stream starts now; empty: it ends
};
/// The cursor cannot be served: forget what is known (promise E5).
std::string reset_frame(const Reset& reset);
/// Too many streams (promise E8), or the server is going away.
std::string busy_frame(std::string_view message, Millis retry);
/// The stream's credential is not good any more (promise E10): expired or revoked.
std::string unauthorized_frame(std::string_view reason);
/// The place of a run in the queue; nothing: it waits no more.
std::string queue_position_frame(std::string_view run_id, std::optional<int> position);

struct ControlSchema {
  std::string_view event;  // "reset"
  std::string_view name;   // "ResetFrame": of the OpenAPI document
  json::object schema;     // JSON Schema (draft 2020-12) of the data
};
/// One for each control frame.
std::vector<ControlSchema> control_schemas();

}  // namespace wave::server::stream
