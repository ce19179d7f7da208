// Waits for a slot: at once where there is no queue.
#include "engine/operation.h"

namespace wave::engine {
namespace {

class AcquireSlot final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    if (run_->slots == nullptr) {
      // A server looks at the disk before it gives a slot away.
      return on_pool_with_disk([run = run_] { return run->world.check_disk(); },
                               [this](const Status&) { granted(); });
    }
    run_->slots->acquire(run_->run_id, run_->state.resuming, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) static_cast<AcquireSlot&>(*self).granted();
    });
  }

 private:
  void granted() {
    const bool first = !run_->state.started_at.has_value();
    flow::Event event;
    event.kind = first ? flow::Kind::kRunStarted : flow::Kind::kRunResumed;
    if (!first) event.data["reason"] = "ready";
    report_end({std::move(event)});
  }
};

}  // namespace

std::shared_ptr<ActiveOperation> make_acquire_slot(std::shared_ptr<RunContext> run,
                                                   const flow::Operation& operation,
                                                   ActiveOperation::Reporter reporter) {
  return std::make_shared<AcquireSlot>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
