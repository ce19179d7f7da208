#include "engine/operation.h"

namespace wave::engine {
namespace {

// How long to wait for descriptors, memory or processes before another try.
constexpr Millis kFirstPause{1'000};
constexpr Millis kLongestPause{15'000};

}  // namespace

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
  if (resources_timer_ == 0) return;
  run_->loop.cancel_timer(std::exchange(resources_timer_, 0));
  std::exchange(resources_again_, nullptr)();  // sees that it is to end
}

void ActiveOperation::detach() {
  reporter_ = nullptr;
  interrupt_.request_stop();
  if (resources_timer_ != 0) run_->loop.cancel_timer(std::exchange(resources_timer_, 0));
  resources_again_ = nullptr;
}

void ActiveOperation::wait_for_resources(const Error& lacking, Callback again) {
  const bool is_first = resources_pause_ == Millis(0);
  resources_pause_ = is_first ? kFirstPause : std::min(resources_pause_ * 2, kLongestPause);
  resources_again_ = std::move(again);
  resources_timer_ = run_->loop.call_at(run_->loop.clock().mono() + resources_pause_,
                                        [self = weak_from_this(), this] {
                                          const auto alive = self.lock();
                                          if (!alive || detached()) return;
                                          resources_timer_ = 0;
                                          std::exchange(resources_again_, nullptr)();
                                        });
  if (!is_first) return;
  flow::Event warning = event(flow::Kind::kWarningRaised,
                              {{"code", code_name(lacking.code)},
                               {"message", run_->redactor.redact(full_message(lacking))}});
  report({.events = {std::move(warning)}, .ended = false});
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

int ActiveOperation::waits() const {
  const flow::StepState* step = run_->state.find(operation_.step);
  return step == nullptr ? run_->state.waits : step->waits;
}

json::object ActiveOperation::stopped_host_warning() {
  return {{"code", code_name(Code::kInterrupted)},
          {"message",
           "the agent-host was stopped (SIGSTOP, a debugger or a frozen cgroup) when its program "
           "ended; it was woken"}};
}

void ActiveOperation::report_disk_wait(const Error& lacking, std::vector<flow::Event> before) {
  flow::Event waiting =
      event(operation_.step.empty() ? flow::Kind::kRunWaiting : flow::Kind::kStepWaiting);
  waiting.data = {{"reason", flow::kWaitsForDisk},
                  {"message", run_->redactor.redact(full_message(lacking))}};
  if (!operation_.step.empty()) {
    waiting.data["code"] = code_name(lacking.code);
    if (!lacking.hint.empty()) waiting.data["hint"] = lacking.hint;
  }
  before.push_back(std::move(waiting));
  report_end(std::move(before));
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
    case flow::OperationKind::kAwaitDisk:
      return make_await_disk(std::move(run), operation, std::move(reporter));
    case flow::OperationKind::kOpenGate:
      return make_open_gate(std::move(run), operation, std::move(reporter));
  }
  return nullptr;
}

}  // namespace wave::engine
