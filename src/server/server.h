// server: `wave serve`. Doors to the engine: REST API, event streams, the queue, webhooks. Knows
// HTTP through the http room only, and SQL not at all.
#pragma once
