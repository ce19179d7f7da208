// The queue: which runs have a slot, which wait for one, in which order (promises Q2 to Q4).
//
// The queue is not stored as such: a run that is `queued` waits, in the order of acceptance, those
// that can go on before those that never started. So it survives whatever happens to this process.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/loop.h"
#include "engine/engine.h"
#include "store/store.h"

namespace wave::server::queue {

struct QueueEntry {
  std::string run_id, pipeline, actor, status;
  bool resuming = false;
  int position = 0;  // of what waits, from 1; 0: it does not wait for a slot
  std::string why;   // what holds the slot, or what it waits for, in words
  std::optional<WallTime> since;
};

/// One consistent moment of the queue. Immutable.
struct QueueView {
  int max_concurrent = 0;
  bool draining = false;              // nothing new starts
  std::vector<QueueEntry> running;    // hold a slot
  std::vector<QueueEntry> waiting;    // for a slot, in order
  std::vector<QueueEntry> parked;     // owned here, `waiting` (gates, timers): hold none
  std::vector<QueueEntry> elsewhere;  // owned by command lines; take no slot
};

/// Owns the engine's runs in a server. Thread: the loop's, but for what says any.
class Supervisor {
 public:
  virtual ~Supervisor() = default;

  [[nodiscard]] virtual std::shared_ptr<const QueueView> view() const = 0;  // any
  /// Place in the queue, from 1; nothing when the run does not wait for a slot. Cheap.
  [[nodiscard]] virtual std::optional<int> position(const std::string& run_id) const = 0;  // any
  /// A run has been stored as queued: durable already, this only makes it quick. Or: a run that was
  /// stopped (flow::is_stopped) shall go on.
  virtual void submitted(const std::string& run_id) = 0;    // any
  virtual void set_max_concurrent(int max_concurrent) = 0;  // any
  virtual void set_draining(bool draining) = 0;             // any
  /// Called after each change of the view, on the loop thread; return quickly.
  virtual void on_changed(std::function<void()> changed) = 0;
};

}  // namespace wave::server::queue
