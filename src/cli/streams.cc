#include "cli/streams.h"

#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

namespace wave::cli {
namespace {

constexpr Millis kMoment{100};

bool was_given_up(const Status& written) {
  return !written && written.error().code == Code::kInterrupted;
}

// Interrupted is what a run is that has not ended; here the command has done its work.
Status incomplete(const Status& written) {
  if (written || is_reader_gone(written.error())) return {};
  Error error = written.error().wrapped("the output is incomplete");
  if (was_given_up(written)) error.code = Code::kIo;
  return fail(std::move(error));
}

}  // namespace

Streams::Streams(Kind kind) {
  if (kind == Kind::kDirect) return;
  output_.emplace(STDOUT_FILENO);
  error_.emplace(STDERR_FILENO,
                 OutputQueueOptions{.outlives_failures = true, .lost = log::lost_lines});
  log::send_to(&*error_);
}

Streams::~Streams() {
  if (!error_) return;
  log::send_to(nullptr);
  (void)error_->end();
}

bool Streams::print(std::string_view text) {
  if (output_) {
    const bool taken = output_->write(text).has_value();
    (void)output_->settle(kMoment);
    return taken;
  }
  const std::scoped_lock lock(mutex_);
  if (failure_) return false;
  if (const Status written = write_all(STDOUT_FILENO, text); !written) failure_ = written.error();
  return !failure_;
}

void Streams::note(std::string_view text) {
  if (!error_) {
    (void)write_all(STDERR_FILENO, text);
    return;
  }
  (void)error_->offer(text);
  (void)error_->settle(kMoment);
}

void Streams::give_up_after(Millis patience, Unread unread) {
  if (!output_) return;
  may_stay_unread_ = unread == Unread::kIsNoError;
  output_->give_up_after(patience);
  error_->give_up_after(patience);
}

Status Streams::end_output() {
  if (output_) {
    const Status written = output_->end();
    if (may_stay_unread_ && was_given_up(written)) return {};
    return incomplete(written);
  }
  const std::scoped_lock lock(mutex_);
  return failure_ ? incomplete(fail(*failure_)) : Status{};
}

}  // namespace wave::cli
