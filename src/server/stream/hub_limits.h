// How much streams may take.
#pragma once

#include <cstddef>

#include "base/clock.h"

namespace wave::server::stream {

struct HubLimits {
  size_t streams = 16'000;            // beyond: `busy` (promise E8)
  size_t streams_per_client = 1'000;  // of one credential or address
  size_t cached_bytes = 32 << 20;     // of frames in memory, over all runs
  size_t page_events = 500;           // read at once; at most 1000
  Millis heartbeat_every{14'000};     // with the reactor's coarse timer: 15 s at most (E9)
  Millis tick{1'000};                 // expiry, queue positions
};

}  // namespace wave::server::stream
