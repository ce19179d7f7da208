// Waits until the disk takes files again, for all that wait for it in a run.
#include <algorithm>

#include "engine/disk_wait.h"
#include "engine/operation.h"

namespace wave::engine {
namespace {

constexpr Millis kDiskLook{2'000};

class AwaitDisk final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    int waits = run_->state.waits;
    for (const flow::StepState& step : run_->state.steps) waits = std::max(waits, step.waits);
    look_in(disk_wait_delay(waits));
  }

  void detach() override {
    ActiveOperation::detach();
    if (timer_ != 0) run_->loop.cancel_timer(std::exchange(timer_, 0));
  }

 private:
  void look_in(Millis delay) {
    timer_ = run_->loop.call_at(run_->loop.clock().mono() + delay, [this] {
      timer_ = 0;
      look();
    });
  }

  void look() {
    on_pool([run = run_] { return run->world.check_disk(); },
            [this](const Status& there) {
              if (!there) return look_in(kDiskLook);
              flow::Event over = event(flow::Kind::kRunWaitEnded);
              over.data["reason"] = flow::kWaitsForDisk;
              report_end({std::move(over)});
            });
  }

  Loop::TimerId timer_ = 0;
};

}  // namespace

std::shared_ptr<ActiveOperation> make_await_disk(std::shared_ptr<RunContext> run,
                                                 const flow::Operation& operation,
                                                 ActiveOperation::Reporter reporter) {
  return std::make_shared<AwaitDisk>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
