// The hub of a server, for the one that makes the server.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "server/queue/supervisor.h"
#include "server/stream/hub.h"
#include "server/stream/hub_limits.h"
#include "store/store.h"

namespace wave::server::stream {

/// Follows the store from here on. The references outlive the hub, and the hub outlives the http
/// server whose streams it feeds. kStore when the log's epoch cannot be found out.
Result<std::unique_ptr<Hub>> make_hub(store::Store& store, queue::Supervisor& queue,
                                      const HubLimits& limits = {});

}  // namespace wave::server::stream
