// Retrospectives from the store, and what they say about a pipeline over time. Used by the server's
// routes and by `wave retro`.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "flow/retro.h"
#include "store/store.h"

namespace wave::server::retro {

/// How a run's figure stands among earlier ones.
struct Standing {
  size_t compared = 0;      // how many earlier runs
  double value = 0;         // this run's
  double p50 = 0, p90 = 0;  // of the earlier ones
  double rank = 0;          // share of the earlier ones that were below it, 0 to 1
};

/// With the pipeline's runs that completed before it.
struct Comparison {
  size_t earlier = 0;    // ended runs before it, at most kMostCompared
  size_t completed = 0;  // of them, how many well
  Standing duration_ms, cost_usd;
};

/// Reads and keeps retrospectives. A run that has ended never changes, so those are kept, up to
/// kMostKept of them. Thread: any.
class RetroReader {
 public:
  static constexpr size_t kMostKept = 2000;
  static constexpr size_t kMostCompared = 200;
  /// Events of one run that are looked at; a run with more says that its files are incomplete.
  static constexpr size_t kMostEvents = 200'000;

  explicit RetroReader(store::Store& store) : store_(store) {}

  /// `with_activity`: also what agents did, which tells the files they touched.
  Result<std::shared_ptr<const flow::Retro>> read(const std::string& run_id, bool with_activity);
  Result<Comparison> compare(const flow::Retro& retro);

 private:
  struct Key {
    std::string run_id;
    bool with_activity;
    auto operator<=>(const Key&) const = default;
  };
  Result<std::shared_ptr<const flow::Retro>> compute(const Key& key);
  void keep(const Key& key, std::shared_ptr<const flow::Retro> retro);

  store::Store& store_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<const flow::Retro>> kept_;  // guarded by mutex_
  std::list<Key> order_;                                    // oldest first; guarded by mutex_
};

/// The value below which `share` of the sorted values lie (nearest rank); 0 without values.
double percentile(const std::vector<double>& sorted, double share);

json::object to_json(const Comparison& comparison);

}  // namespace wave::server::retro
