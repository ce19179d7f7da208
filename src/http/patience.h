// How long a caller that blocks is willing to wait, and what ends its waiting early.
#pragma once

#include "base/clock.h"
#include "base/result.h"

namespace wave::http {

class Patience {
 public:
  /// `cancel_fd`: readable means that the caller has had enough; -1: nothing does.
  Patience(Millis timeout, int cancel_fd);

  /// Waits until poll(2) says one of `events` (or an error) about `fd`. kTimeout, kCancelled.
  [[nodiscard]] Status wait(int fd, short events) const;
  [[nodiscard]] MonoTime deadline() const { return deadline_; }
  /// A part of what is left, for one of several tries.
  [[nodiscard]] Patience share(size_t tries) const;
  /// The same canceller, another deadline.
  [[nodiscard]] Patience renewed(Millis timeout) const { return {timeout, cancel_fd_}; }

 private:
  MonoTime deadline_;
  int cancel_fd_;
};

}  // namespace wave::http
