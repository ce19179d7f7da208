#include "engine/hosted_operation.h"

#include "base/system_fault.h"
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
  request_ = request;
  on_bytes_ = std::move(on_bytes);
  start_program();
}

void HostedOperation::start_program() {
  if (stop_ != flow::StopReason::kNone &&
      run_->world.inspect(request_.dir) == process::HostedState::kNeverStarted) {
    return program_ended(fail(Code::kCancelled, "it was ended before it started"));
  }
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

void HostedOperation::launch_failed(const Error& error) {
  if (stop_ != flow::StopReason::kNone || !launch_may_pass(error)) return not_started(error);
  wait_for_resources(error, [this] { start_program(); });
}

void HostedOperation::not_started(const Error& error) {
  on_pool([run = run_, error, waited = waits()] { return disk_wait(run->world, error, waited); },
          [this, error](const std::optional<Error>& lacking) {
            if (lacking && may_wait()) return report_disk_wait(*lacking);
            program_ended(fail(error));
          });
}

}  // namespace wave::engine
