// The reactor: one thread that waits for its sockets, runs what was posted, and looks at deadlines
// four times a second. A deadline is a member of its connection: ten thousand of them are read in
// less time than a heap of timers would take to keep in order.
#pragma once

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "http/reactor.h"

namespace wave::http {

/// Something with a descriptor in the epoll. Owned by whoever added it.
class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual void on_events(uint32_t events) = 0;
};

/// Kept alive by the server and by whoever may still post; what is posted after stop is dropped.
class EpollReactor final : public Reactor {
 public:
  /// Called on the thread: between rounds of events, and about four times a second.
  struct Hooks {
    std::function<void(uint64_t stream_id)> pull;
    std::function<void(MonoTime now)> tick;
    std::function<void()> ended;  // last on the thread
  };

  static Result<std::shared_ptr<EpollReactor>> create(size_t index);
  ~EpollReactor() override;

  void start(Hooks hooks);
  /// Ends the thread and waits for it. Thread: any but the reactor's.
  void stop();

  void post(std::move_only_function<void()> work) override;
  void wake_stream(uint64_t stream_id) override { woken_.push_back(stream_id); }
  [[nodiscard]] size_t index() const override { return index_; }

  Status add(int fd, uint32_t events, Pollable& pollable);
  void remove(int fd);

 private:
  EpollReactor(size_t index, UniqueFd epoll, UniqueFd wake)
      : index_(index), epoll_(std::move(epoll)), wake_(std::move(wake)) {}
  void run();
  void run_posted();
  void pull_woken();
  Millis patience(MonoTime next_tick);

  const size_t index_;
  const UniqueFd epoll_, wake_;
  Hooks hooks_;
  std::mutex mutex_;
  std::vector<std::move_only_function<void()>> posted_;  // guarded by mutex_
  bool stopped_ = false;                                 // guarded by mutex_
  std::vector<uint64_t> woken_;                          // of the reactor's thread
  std::thread thread_;
};

}  // namespace wave::http
