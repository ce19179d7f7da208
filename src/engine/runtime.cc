#include "engine/runtime.h"

namespace wave::engine {

Runtime::Runtime(EngineConfig config, process::Launcher& launcher,
                 std::unique_ptr<store::Store> store)
    : store_(std::move(store)),
      world_(launcher, loop_, config.paths),
      engine_(std::move(config), loop_, *store_, world_, random_) {}

Runtime::~Runtime() {
  end();
}

void Runtime::end() {
  engine_.abandon();     // nothing more is given to pool and store
  loop_.end_blocking();  // work of the pool waits for the store, so the pool goes first
  store_->close();
  loop_.close();
}

}  // namespace wave::engine
