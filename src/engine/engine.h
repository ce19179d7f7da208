// engine: carries decisions out. An Engine owns the runs that live in this process, on one loop
// thread; a terminal, a server or a test drives it through this header and sees what happens
// through the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/id.h"
#include "base/loop.h"
#include "base/result.h"
#include "engine/slots.h"
#include "engine/world.h"
#include "flow/state.h"
#include "store/store.h"

namespace wave::engine {

/// What a run is to be made from.
struct RunRequest {
  std::string pipeline;  // name or path
  std::string manifest_path = "wave.yaml";
  flow::RunOptions options;
  std::string actor;  // "cli:<user>"
  std::string idempotency_key;
  std::string request_hash;                        // of the request, for the key
  std::optional<store::AuditEntry> audit;          // stored in the same transaction
  std::map<std::string, std::string> extra_files;  // path -> content, over the project's files
  /// The run is this process's from its birth on: no server takes it before adopt() does.
  bool claim = false;
};

/// A resume or retry of a terminal run: a new run whose log begins with run_forked.
struct ForkRequest {
  std::string origin;           // full run id
  std::string from_step;        // empty: the step that failed
  bool from_beginning = false;  // nothing is taken over; steps and exclude count again
  flow::RunOptions options;     // input etc. are the origin's; only overrides count
  std::string actor;
  std::string idempotency_key, request_hash;  // as in RunRequest
  std::optional<store::AuditEntry> audit;     // as in RunRequest
  bool claim = false;                         // as in RunRequest
};

struct EngineConfig {
  store::StatePaths paths;
  std::map<std::string, std::string> environment;  // wave's own, for allow-lists
  int max_steps = 0;  // of one run at a time; 0: runtime.max_concurrency
};

/// Thread: the loop thread, but for what says otherwise.
class Engine {
 public:
  // The store, the random source, the loop's clock and post, and the file system are what create
  // and fork work with; all of them may be used from any thread.

  /// All references must outlive the engine.
  Engine(EngineConfig config, Loop& loop, store::Store& store, World& world, Random& random);
  ~Engine();

  /// Loads, checks, snapshots and stores a run as queued; nothing of it starts. Durable when it
  /// returns. Thread: any, several at a time; they share one commit.
  Result<std::string> create(const RunRequest& request);
  Result<std::string> fork(const ForkRequest& request);

  /// Where runs taken up from now on get their slots; null: there are always enough. The source
  /// outlives the runs.
  void use_slots(SlotSource* slots);

  /// What became of a run that this engine owned.
  struct Ended {
    flow::RunStatus status{};
    std::string waiting_reason;  // when it ended as waiting: stopped
    Status quarantine;           // an error: the run could not be folded or decided
  };
  using OnEnd = std::function<void(const std::string& run_id, const Ended&)>;

  /// Becomes the owner of a live run (queued, waiting, or left behind by a dead owner) and drives
  /// it to its end, or until it is stopped. kRunLocked when somebody owns it, kConflict when it is
  /// terminal.
  Status adopt(const std::string& run_id, OnEnd on_end);
  /// The same for many, in few transactions. The outcomes stand in the order of the ids.
  std::vector<Status> adopt_all(std::span<const std::string> run_ids, const OnEnd& on_end);
  [[nodiscard]] bool owns(const std::string& run_id) const;
  /// Looks for commands to the runs owned here; called when the doorbell rang.
  void poll_commands();
  /// The same for one run; nothing if it is not owned here.
  void poll_commands(const std::string& run_id);
  /// Lets go of all runs at once without stopping their agents (server shutdown, lost terminal).
  void abandon();
  [[nodiscard]] size_t owned() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave::engine
