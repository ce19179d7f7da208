// Schemas of what streams carry: the events of runs, and the frames that are no events.
#pragma once

#include <string>

#include "flow/event.h"
#include "server/api/schemas.h"

namespace wave::server {

/// "RunQueuedEvent" and so on, "Event" (any of them), "ResetFrame", "QueuePositionFrame",
/// "BusyFrame", "UnauthorizedFrame".
void add_event_schemas(Schemas& schemas);

/// "RunQueuedEvent"
std::string event_schema_name(flow::Kind kind);

}  // namespace wave::server
