#include "cli/wait_for_run.h"

#include <condition_variable>
#include <mutex>

namespace wave::cli {

Result<bool> wait_until(RunAccess& runs, const std::string& run_id, uint64_t after, Millis deadline,
                        const std::function<Result<bool>()>& happened) {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t changes = 0;
  const std::unique_ptr<Watch> watch = runs.watch(run_id, after, [&] {
    {
      const std::lock_guard lock(mutex);
      ++changes;
    }
    changed.notify_one();
  });
  const auto end = std::chrono::steady_clock::now() + deadline;
  uint64_t seen = 0;
  for (;;) {
    // Asked before looking: what came until it broke is still seen.
    const Status broken = watch->broken();
    WAVE_TRY(const bool done, happened());
    const auto now = std::chrono::steady_clock::now();
    if (done || now >= end) return done;
    if (!broken) return std::unexpected(broken.error());
    std::unique_lock lock(mutex);
    changed.wait_until(lock, std::min(end, now + std::chrono::seconds(2)),
                       [&] { return changes != seen; });
    seen = changes;
  }
}

}  // namespace wave::cli
