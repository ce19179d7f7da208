// This process as /proc shows it, under the names that Prometheus' own client libraries use.
#pragma once

#include "server/metrics/registry.h"

namespace wave::server::metrics {

/// Adds process_*: memory, descriptors, threads, CPU time, start. What /proc does not tell is left
/// out. Thread: any.
void write_process_figures(Exposition& out);

}  // namespace wave::server::metrics
