// Figures that store, queue, streams and listener keep anyway, read at the moment of the scrape.
#pragma once

#include "server/metrics/registry.h"
#include "server/services.h"

namespace wave::server::metrics {

/// Runs by status, waiting gates, events, disk. What cannot be read is left out and counted in
/// wave_scrape_errors. Thread: any.
void write_store_figures(Exposition& out, store::Store& store);
/// Slots, what waits for one, streams, connections. Thread: any.
void write_server_figures(Exposition& out, const Services& services);

}  // namespace wave::server::metrics
