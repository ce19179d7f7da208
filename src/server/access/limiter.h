// Who asks too often, and who fails too often. All tables are bounded.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace wave::server::access {

/// A table that forgets who was not seen for the longest time. Thread: one at a time.
template <typename Value>
class RecentTable {
 public:
  explicit RecentTable(size_t most) : most_(most) {}
  /// The entry of the key, made if need be; nothing else keeps a reference to it for long.
  Value& at(const std::string& key) {
    if (const auto found = places_.find(key); found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().second;
    }
    if (entries_.size() >= most_) {
      places_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, Value{});
    places_[key] = entries_.begin();
    return entries_.front().second;
  }
  Value* find(const std::string& key) {
    const auto found = places_.find(key);
    return found == places_.end() ? nullptr : &found->second->second;
  }
  void erase(const std::string& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return;
    entries_.erase(found->second);
    places_.erase(found);
  }
  [[nodiscard]] size_t size() const { return entries_.size(); }

 private:
  size_t most_;
  std::list<std::pair<std::string, Value>> entries_;
  std::unordered_map<std::string, typename std::list<std::pair<std::string, Value>>::iterator>
      places_;
};

/// A bucket of requests per caller, refilled evenly. Thread: any.
class RateLimit {
 public:
  /// `per_second` 0: no limit. A burst may be twice as large.
  explicit RateLimit(int per_second, size_t most = 4096) : per_second_(per_second), table_(most) {}
  /// Takes one; how long to wait when there is none.
  std::optional<Millis> take(const std::string& key, MonoTime now);

 private:
  struct Bucket {
    double left = -1;  // -1: new
    MonoTime at{};
  };
  const int per_second_;
  std::mutex mutex_;
  RecentTable<Bucket> table_;  // guarded by mutex_
};

/// Locks out who failed too often: after `free_failures` for a second, and twice as long with each
/// further failure, up to five minutes. An hour without failures is forgotten. Thread: any.
class Lockout {
 public:
  explicit Lockout(int free_failures, size_t most = 4096)
      : free_failures_(free_failures), table_(most) {}
  /// How long the key is still locked out.
  std::optional<Millis> locked(const std::string& key, MonoTime now);
  void failed(const std::string& key, MonoTime now);
  void succeeded(const std::string& key);

 private:
  struct Record {
    int failures = 0;
    MonoTime last{}, until{};
  };
  const int free_failures_;
  std::mutex mutex_;
  RecentTable<Record> table_;  // guarded by mutex_
};

/// Which of many refusals are written down: of each key the first, second, fourth, eighth and so on
/// within an hour, and of all keys together a few per minute. Thread: any.
class RefusalSample {
 public:
  static constexpr int kMostPerMinute = 10;

  explicit RefusalSample(size_t most = 4096) : table_(most) {}
  /// How many there have been of this key, if this one is to be written down.
  std::optional<int64_t> take(const std::string& key, MonoTime now);

 private:
  struct Count {
    int64_t seen = 0;
    MonoTime first{};
  };
  std::mutex mutex_;
  RecentTable<Count> table_;  // guarded by mutex_
  MonoTime minute_{};         // guarded by mutex_: when this one began
  int written_ = 0;           // guarded by mutex_: within it
};

}  // namespace wave::server::access
