#include "http/workers.h"

#include <system_error>

#include "base/log.h"

namespace wave::http {

bool Workers::submit(std::move_only_function<void()>& work) {
  const std::scoped_lock lock(mutex_);
  if (stopping_ || queue_.size() >= max_queued_) return false;
  if (queue_.size() >= idle_ && threads_.size() < max_threads_ && !start_thread() &&
      threads_.empty()) {
    return false;
  }
  queue_.push_back(std::move(work));
  arrived_.notify_one();
  return true;
}

bool Workers::start_thread() {
  try {
    threads_.emplace_back([this] { run(); });
    return true;
  } catch (const std::system_error& error) {
    log::warning("no further thread for requests: {}", error.what());
    return false;
  }
}

void Workers::stop() {
  std::vector<std::thread> threads;
  std::deque<std::move_only_function<void()>> dropped;  // destroyed without the mutex
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    threads.swap(threads_);
    dropped.swap(queue_);
  }
  arrived_.notify_all();
  for (std::thread& thread : threads) thread.join();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    try {
      work();
    } catch (const std::exception& error) {
      // A request that ran out of memory, say, is answered with 500 by its Responder.
      log::error("a handler of requests failed: {}", error.what());
    }
    work = nullptr;
    lock.lock();
  }
}

}  // namespace wave::http
