#include "cli/wait_for_run.h"

#include <condition_variable>
#include <mutex>

namespace wave::cli {

Result<bool> wait_until(store::Store& store, Millis deadline,
                        const std::function<Result<bool>()>& happened) {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t changes = 0;
  const uint64_t subscription = store.subscribe([&](const std::string&, uint64_t) {
    {
      const std::lock_guard lock(mutex);
      ++changes;
    }
    changed.notify_one();
  });
  const auto end = std::chrono::steady_clock::now() + deadline;
  Result<bool> result = false;
  uint64_t seen = 0;
  for (;;) {
    result = happened();
    const auto now = std::chrono::steady_clock::now();
    if (!result || *result || now >= end) break;
    std::unique_lock lock(mutex);
    changed.wait_until(lock, std::min(end, now + std::chrono::seconds(2)),
                       [&] { return changes != seen; });
    seen = changes;
  }
  store.unsubscribe(subscription);
  return result;
}

}  // namespace wave::cli
