// One thread, one epoll: sockets, timers and posted work.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.h"

namespace wave::http {

/// Owned by the Server. Implementation: epoll_reactor.h.
class Reactor {
 public:
  virtual ~Reactor() = default;
  /// Runs on the reactor's thread, after what was posted before. Thread: any.
  virtual void post(std::move_only_function<void()> work) = 0;
  /// Lets a stream of this reactor pull before the reactor waits again. Thread: the reactor's.
  virtual void wake_stream(uint64_t stream_id) = 0;
  /// Which of the server's reactors this is, from 0.
  [[nodiscard]] virtual size_t index() const = 0;
};

}  // namespace wave::http
