// Who has a slot, who wants one, in which order: the supervisor's memory, without its doing.
#pragma once

#include <cstdint>
#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "engine/slots.h"
#include "server/queue/supervisor.h"
#include "store/store.h"

namespace wave::server::queue {

enum class Place {
  kWaiting,    // queued: wants a slot
  kRunning,    // has one
  kParked,     // owned here and waiting for something else
  kStopped,    // somebody stopped it; nobody goes on with it unasked
  kElsewhere,  // a command line drives it
};

struct BookEntry {
  int64_t id = 0;  // order of acceptance
  std::string pipeline, actor, reason;
  bool resuming = false;
  bool owned = false;     // by this process
  bool adopting = false;  // on its way to that
  Place place = Place::kWaiting;
  std::optional<WallTime> since;          // in this place
  engine::SlotSource::Granted granted{};  // its owner waits for a slot
};

/// Not thread-safe: the supervisor guards it.
class RunBook {
 public:
  /// Null when it is not there.
  [[nodiscard]] const BookEntry* find(const std::string& run_id) const;
  /// Adds a run, or changes what is known of one. Order and counts follow.
  template <typename Change>
  void change(const std::string& run_id, Change change) {
    BookEntry& entry = entries_[run_id];
    leave(run_id, entry);
    change(entry);
    enter(run_id, entry);
  }
  void erase(const std::string& run_id);

  [[nodiscard]] size_t running() const { return running_; }
  [[nodiscard]] size_t waiting() const { return order_.size(); }
  [[nodiscard]] size_t elsewhere() const { return elsewhere_; }
  /// From 1; nothing when it does not wait.
  [[nodiscard]] std::optional<int> position(const std::string& run_id) const;
  /// The first that can be given a slot. `with_new`: also one that never started.
  [[nodiscard]] std::optional<std::string> next(bool with_new) const;
  [[nodiscard]] const std::map<std::string, BookEntry>& entries() const { return entries_; }
  /// The waiting ones in their order.
  template <typename Visit>
  void visit_waiting(Visit visit) const {
    for (const auto& [key, run_id] : order_) visit(run_id, entries_.at(run_id));
  }

 private:
  // Those that can go on come first, each group in order of acceptance (promise Q2).
  using Key = std::pair<bool, int64_t>;
  using Order = __gnu_pbds::tree<Key, std::string, std::less<>, __gnu_pbds::rb_tree_tag,
                                 __gnu_pbds::tree_order_statistics_node_update>;

  static Key key(const BookEntry& entry) { return {!entry.resuming, entry.id}; }
  void enter(const std::string& run_id, const BookEntry& entry);
  void leave(const std::string& run_id, const BookEntry& entry);

  std::map<std::string, BookEntry> entries_;
  Order order_;
  size_t running_ = 0, elsewhere_ = 0;
};

/// The moment as others see it. `held`: why nothing is started just now; or empty.
QueueView make_view(const RunBook& book, int max_concurrent, bool draining,
                    const std::string& held);

}  // namespace wave::server::queue
