#include "engine/hosted_call.h"

#include "base/text.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxTail = 64 << 10;

void append_tail(std::string& tail, std::string_view bytes) {
  tail.append(bytes);
  if (tail.size() > 2 * kMaxTail) tail = std::string(utf8_suffix(tail, kMaxTail));
}

}  // namespace

void CallControl::stop(bool force) {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  force_ |= force;
  if (followed_) followed_->stop(force_);
}

void CallControl::detach() {
  {
    const std::lock_guard lock(mutex_);
    detached_ = true;
    done_ = true;
    error_ = Error(Code::kInterrupted, "the owner of the run let go of it");
  }
  followed_.reset();
  ended_.notify_all();
}

Result<HostedCallResult> call_hosted(RunContext& run, const process::HostRequest& request,
                                     const std::shared_ptr<CallControl>& control,
                                     std::function<void(bool, std::string_view)> on_bytes) {
  {
    const std::lock_guard lock(control->mutex_);
    if (control->detached_) return fail(*control->error_);
    control->done_ = false;
    control->error_.reset();
    control->result_ = {};
  }
  run.loop.post([&run, request, control, on_bytes = std::move(on_bytes)]() mutable {
    {
      const std::lock_guard lock(control->mutex_);
      if (control->detached_) return;
      if (control->stop_ && run.world.inspect(request.dir) == process::HostedState::kNeverStarted) {
        control->error_ = Error(Code::kCancelled, "it was ended before it started");
        control->done_ = true;
        control->ended_.notify_all();
        return;
      }
    }
    const auto finish = [control](std::optional<Error> error, const process::HostExit& exit) {
      // What is followed holds handlers that hold `control`: the circle is cut here. It goes after
      // the lock.
      std::unique_ptr<Followed> over;
      const std::lock_guard lock(control->mutex_);
      over = std::move(control->followed_);
      control->error_ = std::move(error);
      control->result_.exit = exit;
      control->done_ = true;
      control->ended_.notify_all();
    };
    auto followed = run.world.start_or_attach(
        request, 0, 0,
        {.on_bytes =
             [control, on_bytes = std::make_shared<decltype(on_bytes)>(std::move(on_bytes))](
                 bool err, uint64_t, std::string_view bytes) {
               append_tail(err ? control->result_.err_tail : control->result_.out_tail, bytes);
               if (*on_bytes) (*on_bytes)(err, bytes);
             },
         .on_exit = [finish](const process::HostExit& exit) { finish(std::nullopt, exit); }});
    if (!followed) return finish(followed.error(), {});
    const std::lock_guard lock(control->mutex_);
    control->followed_ = *std::move(followed);
    if (control->stop_) control->followed_->stop(control->force_);
  });
  std::unique_lock lock(control->mutex_);
  control->ended_.wait(lock, [&] { return control->done_; });
  if (control->error_) return fail(*control->error_);
  return std::move(control->result_);
}

}  // namespace wave::engine
