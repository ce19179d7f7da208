// How many connections, or requests through a proxy, each address has now.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace wave::http {

/// Invariant: an address is in the table as long as somebody counts for it, so that the table is
/// never larger than the number of connections. Thread: any.
class AddressCounts {
 public:
  /// Counts one more, unless the address has `most`.
  bool take(std::string_view address, size_t most) {
    const std::scoped_lock lock(mutex_);
    const auto found = counts_.find(address);
    if (found == counts_.end()) {
      if (most > 0) counts_.emplace(address, 1);
      return most > 0;
    }
    if (found->second >= most) return false;
    ++found->second;
    return true;
  }
  void give_back(std::string_view address) {
    const std::scoped_lock lock(mutex_);
    const auto found = counts_.find(address);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, size_t, std::less<>> counts_;  // guarded by mutex_
};

}  // namespace wave::http
