// Follows a run's event stream on a thread of its own, over broken connections, without a gap and
// without a double: the ids are the events' numbers, and each is asked for from the last on.
#pragma once

#include <sys/eventfd.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "cli/remote/api_client.h"
#include "cli/remote/sse_parser.h"
#include "store/store.h"

namespace wave::cli::remote {

/// Owned by whoever watches; ends its thread when it goes. Thread: any, for every method.
class Follower {
 public:
  /// How long a server may be away before it counts as gone.
  static constexpr Millis kPatience{60'000};

  /// Events behind `after` are kept until they are taken. `changed` is called on the follower's
  /// thread; it must not end the follower.
  Follower(const ApiClient& client, std::string run_id, uint64_t after,
           std::function<void()> changed);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// What has come behind `after` by now; what came up to there is forgotten. `step` not empty:
  /// only that step's, and the others' are forgotten as well.
  std::vector<store::StoredEvent> take(uint64_t after, size_t limit, const std::string& step);
  /// Waits until event `seq` has come, nothing more will, or the patience is over.
  void wait_for(uint64_t seq, Millis patience) const;
  /// Whether everything has come: the run has ended, or the server says there is no more.
  [[nodiscard]] bool ended() const;
  /// Why nothing more will come.
  [[nodiscard]] Status broken() const;

 private:
  /// Events that wait to be taken; beyond, the stream is not read on.
  static constexpr size_t kMostBytes = 32 << 20;

  void run();
  bool take_event(const SseEvent& event);
  void conclude(Status status);

  const ApiClient& client_;
  const std::string run_id_;
  const std::function<void()> changed_;
  UniqueFd cancel_;

  mutable std::mutex mutex_;
  mutable std::condition_variable moved_;
  struct Kept {
    store::StoredEvent event;
    std::string step;
  };
  std::deque<Kept> events_;  // guarded by mutex_, like all below
  size_t bytes_ = 0;
  uint64_t last_;        // the last event that has come
  std::string last_id_;  // as the server named it
  bool stopping_ = false;
  bool ended_ = false;
  Status broken_;
  std::thread thread_;
};

}  // namespace wave::cli::remote
