// Who wants to know of commits.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace wave::store {

/// Thread: any. Once remove has returned, the callback does not run any more, unless it removed
/// itself.
class Subscribers {
 public:
  uint64_t add(Store::Changed changed);
  void remove(uint64_t id);
  void notify(const std::string& run_id, uint64_t last_seq);
  /// Removes all of them: what was being called has returned. Not from a callback.
  void clear();
  [[nodiscard]] bool empty() const;

 private:
  struct Subscriber {
    uint64_t id = 0;
    Store::Changed changed;
    std::recursive_mutex running;  // held while `changed` runs; recursive: it may remove itself
    bool active = true;
  };
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  uint64_t next_id_ = 1;
};

}  // namespace wave::store
