#include "cli/streams.h"

#include <unistd.h>

#include "base/file.h"
#include "base/log.h"

namespace wave::cli {
namespace {

constexpr Millis kMoment{100};

Status incomplete(const Status& written) {
  if (written || is_reader_gone(written.error())) return {};
  return fail(written.error().wrapped("the output is incomplete"));
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

void Streams::give_up_after(Millis patience) {
  if (!output_) return;
  output_->give_up_after(patience);
  error_->give_up_after(patience);
}

Status Streams::end_output() {
  if (output_) return incomplete(output_->end());
  const std::scoped_lock lock(mutex_);
  return failure_ ? incomplete(fail(*failure_)) : Status{};
}

}  // namespace wave::cli
