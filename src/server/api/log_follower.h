// Logs that are followed as text: one thread reads for all of them what their readers can take.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http/stream.h"
#include "server/api/log_line.h"
#include "store/store.h"

namespace wave::server::api {

/// Thread: any, for every method. The store must outlive it.
class LogFollower {
 public:
  static constexpr size_t kMostStreams = 256;

  explicit LogFollower(store::Store& store);
  ~LogFollower();
  LogFollower(const LogFollower&) = delete;
  LogFollower& operator=(const LogFollower&) = delete;

  using Filter = std::function<bool(const LogLine&)>;
  /// Whether there is room for one more.
  [[nodiscard]] bool has_room();
  /// What feeds a stream with the lines of a run after `after` until the run has ended. Call on the
  /// stream's reactor.
  std::unique_ptr<http::StreamSource> follow(std::string run_id, std::string step, uint64_t after,
                                             Filter filter, http::StreamHandle handle);

 private:
  struct Followed;
  class Source;
  void run(const std::stop_token& stop);
  void read_round(const std::stop_token& stop);
  bool read_on(Followed& followed);

  store::Store& store_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool dirty_ = false;                             // guarded by mutex_
  std::vector<std::weak_ptr<Followed>> followed_;  // guarded by mutex_
  uint64_t subscription_ = 0;
  std::jthread thread_;
};

}  // namespace wave::server::api
