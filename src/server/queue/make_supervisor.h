// The supervisor of a server's runs, for the one that makes the server.
#pragma once

#include "server/queue/supervisor.h"

namespace wave::server::queue {

/// Beside what handlers see: its life. Thread: the loop's, or before the loop runs.
class SupervisorControl : public Supervisor {
 public:
  /// Takes the queue up as the store has it: goes on with what was interrupted, hands out slots,
  /// and keeps looking. Once.
  virtual Status start() = 0;
  /// Takes up nothing more and grants no slot any more; runs that are owned go on until the engine
  /// lets go of them (Engine::abandon). For the way out.
  virtual void stop() = 0;
  /// Asked before slots are given away: while it answers with a reason, none is. Before start().
  virtual void hold_while(std::function<std::optional<std::string>()> reason) = 0;
};

/// Becomes the engine's source of slots at once; does nothing else until start(). All references
/// outlive it; it is destroyed before the engine, when the loop does not run any more.
Result<std::unique_ptr<SupervisorControl>> make_supervisor(Loop& loop, store::Store& store,
                                                           const store::StatePaths& paths,
                                                           engine::Engine& engine,
                                                           int max_concurrent);

}  // namespace wave::server::queue
