// Threads that run handlers, which may block.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace wave::http {

/// A thread is started when work comes and none is idle. Thread: any, for every method.
class Workers {
 public:
  Workers(size_t max_threads, size_t max_queued)
      : max_threads_(max_threads), max_queued_(max_queued) {}
  ~Workers() { stop(); }

  /// False when too much waits already; `work` is left alone then.
  bool submit(std::move_only_function<void()>& work);
  /// Drops what has not begun, waits for what has, and ends the threads.
  void stop();

 private:
  bool start_thread();  // with the mutex held
  void run();

  const size_t max_threads_, max_queued_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::move_only_function<void()>> queue_;  // all guarded by mutex_
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace wave::http
