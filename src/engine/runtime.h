// The loop, the store, the world and the engine of one process, and the order in which they end.
//
// Two kinds of threads call into the loop: those of its pool, and the store's (its writer answers
// appends, its watch reports commits of others). What they post holds on to runs, and runs hold on
// to store, world and loop. So none of the four may go while such a thread lives or such a callback
// waits, and no order of members can promise that. The invariant: once end() has returned, only the
// owner's thread is left, nothing is posted any more, and what was posted is gone; then the four
// may go in any order.
#pragma once

#include <memory>

#include "base/asio_loop.h"
#include "base/id.h"
#include "engine/engine.h"
#include "engine/system_world.h"

namespace wave::engine {

/// Owned by whatever drives runs in this process: a server, a command. What uses a part of it is
/// destroyed before it, or after end(). Thread: the loop's.
class Runtime {
 public:
  /// The launcher must outlive it.
  Runtime(EngineConfig config, process::Launcher& launcher, std::unique_ptr<store::Store> store);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  [[nodiscard]] AsioLoop& loop() { return loop_; }
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] Random& random() { return random_; }

  /// Lets go of all runs (their agents work on), waits for the pool and for what the store was
  /// given to write, and drops what was posted. The loop must not run. From here on the store can
  /// be read, and refuses to write. Again: nothing.
  void end();

 private:
  AsioLoop loop_;
  std::unique_ptr<store::Store> store_;
  SystemRandom random_;
  SystemWorld world_;
  Engine engine_;
};

}  // namespace wave::engine
