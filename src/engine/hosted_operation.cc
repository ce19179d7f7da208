#include "engine/hosted_operation.h"

#include "base/system_fault.h"
#include "base/text.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxProgramTail = 64 << 10;
constexpr Millis kProgramRetry{2'000};

void append_tail(std::string& tail, std::string_view bytes) {
  tail.append(bytes);
  if (tail.size() > 2 * kMaxProgramTail) tail = std::string(utf8_suffix(tail, kMaxProgramTail));
}

}  // namespace

void HostedOperation::stop(flow::StopReason reason) {
  ActiveOperation::stop(reason);
  if (retry_timer_ != 0) return launch_failed(Error(Code::kCancelled, "it was asked to end"));
  if (followed_) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

void HostedOperation::detach() {
  ActiveOperation::detach();
  if (retry_timer_ != 0) run_->loop.cancel_timer(std::exchange(retry_timer_, 0));
  followed_.reset();
}

void HostedOperation::run_program(const process::HostRequest& request, OnBytes on_bytes) {
  if (stop_ != flow::StopReason::kNone &&
      run_->world.inspect(request.dir) == process::HostedState::kNeverStarted) {
    return program_ended(fail(Code::kCancelled, "it was ended before it started"));
  }
  request_ = request;
  on_bytes_ = std::move(on_bytes);
  start_program();
}

void HostedOperation::start_program() {
  auto followed = run_->world.start_or_attach(
      request_, 0, 0,
      {.on_bytes =
           [this](bool err, uint64_t, std::string_view bytes) {
             append_tail(err ? result_.err_tail : result_.out_tail, bytes);
             if (on_bytes_) on_bytes_(err, bytes);
           },
       .on_exit =
           [this, self = weak_from_this()](const process::HostExit& exit) {
             const auto alive = self.lock();
             if (!alive) return;
             result_.exit = exit;
             program_ended(std::move(result_));
           },
       .on_skipped = {},
       .on_failed =
           [this, self = weak_from_this()](const Error& error) {
             if (const auto alive = self.lock()) launch_failed(error);
           }});
  if (!followed) return launch_failed(followed.error());
  followed_ = *std::move(followed);
  if (stop_ != flow::StopReason::kNone) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

/// A launcher or host that does not answer, and what the machine is short of, is no fault of the
/// program.
void HostedOperation::launch_failed(const Error& error) {
  if (retry_timer_ != 0) run_->loop.cancel_timer(std::exchange(retry_timer_, 0));
  const bool passes = error.code == Code::kTimeout || error.code == Code::kInterrupted ||
                      error.code == Code::kScarce;
  if (stop_ != flow::StopReason::kNone || !passes) return not_started(error);
  retry_timer_ = run_->loop.call_at(run_->loop.clock().mono() + kProgramRetry, [this] {
    retry_timer_ = 0;
    start_program();
  });
}

void HostedOperation::not_started(const Error& error) {
  on_pool([run = run_, error, waited = waits()] { return disk_wait(run->world, error, waited); },
          [this, error](const std::optional<Error>& lacking) {
            if (lacking && may_wait()) return report_disk_wait(*lacking);
            program_ended(fail(error));
          });
}

}  // namespace wave::engine
