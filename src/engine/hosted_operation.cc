#include "engine/hosted_operation.h"

#include "base/text.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxProgramTail = 64 << 10;

void append_tail(std::string& tail, std::string_view bytes) {
  tail.append(bytes);
  if (tail.size() > 2 * kMaxProgramTail) tail = std::string(utf8_suffix(tail, kMaxProgramTail));
}

}  // namespace

void HostedOperation::stop(flow::StopReason reason) {
  ActiveOperation::stop(reason);
  if (followed_) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

void HostedOperation::detach() {
  ActiveOperation::detach();
  followed_.reset();
}

void HostedOperation::run_program(const process::HostRequest& request, OnBytes on_bytes) {
  if (stop_ != flow::StopReason::kNone &&
      run_->world.inspect(request.dir) == process::HostedState::kNeverStarted) {
    return program_ended(fail(Code::kCancelled, "it was ended before it started"));
  }
  auto followed = run_->world.start_or_attach(
      request, 0, 0,
      {.on_bytes =
           [this, on_bytes](bool err, uint64_t, std::string_view bytes) {
             append_tail(err ? result_.err_tail : result_.out_tail, bytes);
             if (on_bytes) on_bytes(err, bytes);
           },
       .on_exit =
           [this, self = weak_from_this()](const process::HostExit& exit) {
             const auto alive = self.lock();
             if (!alive) return;
             result_.exit = exit;
             program_ended(std::move(result_));
           }});
  if (!followed && followed.error().code == Code::kScarce && stop_ == flow::StopReason::kNone) {
    return wait_for_resources(followed.error(), [this, request, on_bytes = std::move(on_bytes)] {
      run_program(request, on_bytes);
    });
  }
  if (!followed) return program_ended(fail(followed.error()));
  followed_ = *std::move(followed);
  if (stop_ != flow::StopReason::kNone) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

}  // namespace wave::engine
