#include "engine/operation.h"

namespace wave::engine {

flow::Event ActiveOperation::event(flow::Kind kind, json::object data) const {
  flow::Event event;
  event.kind = kind;
  event.step = operation_.step;
  event.visit = operation_.visit;
  event.attempt = operation_.attempt;
  event.data = std::move(data);
  return event;
}

void ActiveOperation::stop(flow::StopReason reason) {
  stop_ = std::max(stop_, reason);
  // A pause, and the end of a run whose other step failed, wait for what is worth keeping.
  const bool cancelled =
      reason == flow::StopReason::kCancel || reason == flow::StopReason::kForceCancel;
  if (cancelled) interrupt_.request_stop();
}

void ActiveOperation::detach() {
  reporter_ = nullptr;
  interrupt_.request_stop();
}

void ActiveOperation::report(Report report) {
  if (!reporter_) return;
  if (!report.ended) {
    reporter_(std::move(report));
    return;
  }
  const Reporter last = std::exchange(reporter_, nullptr);
  last(std::move(report));
}

void ActiveOperation::run_on_pool(Callback work, Callback done) {
  const bool is_short = operation_.step.empty() || run_->step(operation_.step).workspace.kind ==
                                                       model::Workspace::Kind::kPlain;
  if (is_short) return run_->loop.run_blocking(std::move(work), std::move(done));
  run_->loop.run_lengthy(std::move(work), std::move(done));
}

std::shared_ptr<ActiveOperation> make_operation(std::shared_ptr<RunContext> run,
                                                const flow::Operation& operation,
                                                ActiveOperation::Reporter reporter) {
  switch (operation.kind) {
    case flow::OperationKind::kAcquireSlot:
      return make_acquire_slot(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kExecute:
      return make_execute(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kCollectOutputs:
      return make_collect_outputs(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kCheckContract:
      return make_check_contract(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kCheckpoint:
      return make_checkpoint(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kRunHook:
      return make_run_hook(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kOpenGate:
      return make_open_gate(std::move(run), operation, std::move(reporter));
  }
  return nullptr;
}

}  // namespace wave::engine
