// Following a hosted process on the loop: its spools as they grow, and its end. It does not matter
// who started the process, nor whether it ended long ago.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/loop.h"
#include "process/hosted.h"

namespace wave::process {

/// What a follower is told, on the loop thread. A handler may destroy the follower.
struct FollowHandlers {
  /// The next bytes of a spool, at most 64 KiB, valid during the call. Per spool in order and
  /// without a gap from the offset that was asked for; between the spools there is no order.
  std::function<void(bool err, uint64_t offset, std::string_view bytes)> on_bytes;
  /// Once, after all bytes. The reason is host_lost when the host is gone without having written an
  /// exit; the program's processes have been ended by then, but for those in `leaked`.
  std::function<void(const HostExit&)> on_exit;
  /// If set, what a program had printed before it was stopped is not read to its end: only its last
  /// MiB is, and this tells how many bytes are left out before. The spool has them all.
  std::function<void(bool err, uint64_t offset, uint64_t count)> on_skipped;
  /// Of whoever starts and follows in one go (engine/world.h): once, instead of on_exit. Nothing
  /// was started, and nothing will be. A follower never calls it.
  std::function<void(const Error&)> on_failed;
  /// Once, at most: the program has ended, and its host could not say so because it was stopped. It
  /// has been woken, and is ended (host_lost) if it stays stopped.
  std::function<void()> on_host_stopped;
};

/// What all followers of a loop share: one inotify descriptor and the slow poll behind it (1 s; 100
/// ms for folders that inotify refused to watch). Must outlive its followers. Thread: loop.
class FollowerHub {
 public:
  explicit FollowerHub(Loop& loop);
  FollowerHub(const FollowerHub&) = delete;
  FollowerHub& operator=(const FollowerHub&) = delete;
  ~FollowerHub();

 private:
  friend class Follower;
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

/// Follows one process. Destroying it detaches: no handler is called any more, the process lives
/// on. Work per turn of the loop is bounded, so that one flood does not starve the others. Thread:
/// loop.
class Follower {
 public:
  /// Starts following. No handler is called before it has returned. kNotFound when nothing was ever
  /// started in `dir`; kConflict when a spool is shorter than its offset.
  static Result<std::unique_ptr<Follower>> attach(FollowerHub& hub,
                                                  const std::filesystem::path& dir,
                                                  uint64_t out_offset, uint64_t err_offset,
                                                  FollowHandlers handlers);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower();

  /// Between pause and resume no handler is called and nothing is read: what the process prints
  /// waits in its spool.
  void pause();
  void resume();
  /// request_stop for the process's host; the end comes through on_exit. A host that does not
  /// answer (stopped, traced, frozen) is ended with its program. Nothing to do is no error.
  Status stop(bool force);
  [[nodiscard]] const HostMeta& meta() const;

 private:
  friend class FollowerHub;
  struct Impl;
  explicit Follower(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace wave::process
