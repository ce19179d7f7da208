#include "process/loop_launch.h"

namespace wave::process {

Result<std::unique_ptr<LoopLaunch>> LoopLaunch::begin(Loop& loop, Launcher& launcher,
                                                      const HostRequest& request, Done done) {
  WAVE_TRY(Launching launching, Launching::begin(launcher, request));
  return std::unique_ptr<LoopLaunch>(new LoopLaunch(loop, std::move(launching), std::move(done)));
}

LoopLaunch::LoopLaunch(Loop& loop, Launching launching, Done done)
    : loop_(loop), launching_(std::move(launching)), done_(std::move(done)) {
  arm();
}

LoopLaunch::~LoopLaunch() {
  disarm();
}

void LoopLaunch::arm() {
  watch_ = loop_.watch_readable(launching_.fd(), [this] { look(); });
  timer_ = loop_.call_at(launching_.next_look(), [this] {
    timer_ = 0;
    look();
  });
}

void LoopLaunch::disarm() {
  if (watch_ != 0) loop_.unwatch(std::exchange(watch_, 0));
  if (timer_ != 0) loop_.cancel_timer(std::exchange(timer_, 0));
}

void LoopLaunch::look() {
  disarm();  // before the pipe may be another one
  auto result = launching_.advance();
  if (!result) return arm();
  const Done done = std::move(done_);
  done(*std::move(result));
}

}  // namespace wave::process
