// The supervisor of a server's runs.
#pragma once

#include "server/queue/supervisor.h"

namespace wave::server::queue {

/// Becomes the engine's source of slots at once; does nothing else until start(). All references
/// outlive it, and it is destroyed before the engine, after the loop has stopped (or on its
/// thread).
Result<std::unique_ptr<Supervisor>> make_supervisor(Loop& loop, store::Store& store,
                                                    const store::StatePaths& paths,
                                                    engine::Engine& engine, int max_concurrent);

}  // namespace wave::server::queue
