#include "engine/hosted_operation.h"

#include <fmt/core.h>

#include "base/system_fault.h"
#include "base/text.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxProgramTail = 64 << 10;
/// So often in a row a program is run again whose disk was full only while it ran: it may be the
/// program that fills it.
constexpr int kMaxRepeats = 6;

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
             if (const auto alive = self.lock()) ended(exit);
           },
       .on_skipped = {},
       .on_failed =
           [this, self = weak_from_this()](const Error& error) {
             if (const auto alive = self.lock()) launch_failed(error);
           },
       .on_host_stopped =
           [this] {
             flow::Event warning = event(flow::Kind::kWarningRaised, stopped_host_warning());
             report({.events = {std::move(warning)}, .ended = false});
           }});
  if (!followed) return launch_failed(followed.error());
  followed_ = *std::move(followed);
  if (stop_ != flow::StopReason::kNone) followed_->stop(stop_ == flow::StopReason::kForceCancel);
}

std::string HostedOperation::name_again(std::string purpose) const {
  return waits() == 0 ? purpose : fmt::format("{}-w{}", purpose, waits());
}

bool HostedOperation::may_lack_disk(const process::HostExit& exit) const {
  if (!may_wait() || exit.reason == "output_limit") return false;
  const bool passed = exit.reason == "exited" && exit.exit_code == 0;
  return !passed || (answers_in_print() && exit.disk_ran_out);
}

void HostedOperation::ended(const process::HostExit& exit) {
  result_.exit = exit;
  if (!may_lack_disk(exit)) return program_ended(std::move(result_));
  on_pool(
      [run = run_, exit, waited = waits()]() -> std::optional<Error> {
        if (const Status there = run->world.check_disk(); !there) return there.error();
        return waited < kMaxRepeats ? disk_shortage(run->world, exit) : std::nullopt;
      },
      [this](const std::optional<Error>& lacking) {
        if (lacking && may_wait()) return report_disk_wait(*lacking);
        program_ended(std::move(result_));
      });
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
