// Runs as commands and views see them, wherever they are: in this project's store, or on a server.
// What is shown is the same, because it is made from the same rows and event lines.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "flow/plan.h"
#include "store/store.h"

namespace wave::cli {

class Context;

/// While it lives, somebody is told of what is new.
class Watch {
 public:
  virtual ~Watch() = default;
  /// Why nothing new will come any more; ok while something may, or when the run has ended.
  [[nodiscard]] virtual Status broken() const { return {}; }
  /// Whether the run's last event has come. Where that is not known: false.
  [[nodiscard]] virtual bool complete() const { return false; }
};

/// A person's answer to a gate.
struct Decision {
  std::string run_id, step, gate_id, choice, text;
};

/// Thread: any for reading, asking and watching; the rest from the command's own.
class RunAccess {
 public:
  virtual ~RunAccess() = default;

  // --- reading ---
  /// The one run whose id begins so; empty: the newest. kNotFound, or kUsage naming candidates.
  virtual Result<std::string> resolve(const std::string& prefix) = 0;
  virtual Result<store::RunDetails> run(const std::string& run_id) = 0;
  /// Newest first.
  virtual Result<std::vector<flow::RunRow>> list(const store::RunFilter& filter) = 0;
  /// What is stored by now. Within a watch of the run: what has come by now, from the watch's
  /// beginning on.
  virtual Result<std::vector<store::StoredEvent>> events(const std::string& run_id,
                                                         const store::EventQuery& query) = 0;
  virtual Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() = 0;
  /// Calls `changed`, on a thread of its own, when there may be events behind `after`.
  virtual std::unique_ptr<Watch> watch(const std::string& run_id, uint64_t after,
                                       std::function<void()> changed) = 0;

  // --- asking; durable when it returns ---
  /// kConflict when the run has ended.
  virtual Status cancel(const std::string& run_id, bool force, const std::string& reason) = 0;
  /// kGateDecided names the decision that stands.
  virtual Status decide(const Decision& decision) = 0;
  /// Makes sure that somebody carries out what was asked: whoever owns the run, or someone new.
  /// `wait`: it is done here if nobody else does it.
  virtual Status see_to(const store::RunDetails& details, bool wait) = 0;

  /// What a run would do; nothing is started.
  virtual Result<flow::Plan> plan(const engine::RunRequest& request) = 0;

  // --- starting: shown until its end, or left alone; the exit code ---
  virtual Result<int> start(const engine::RunRequest& request, bool detach) = 0;
  virtual Result<int> fork(const engine::ForkRequest& request, bool detach) = 0;
  /// A run that has not ended goes on. kRunLocked when somebody else drives it.
  virtual Result<int> go_on(const std::string& run_id, bool detach) = 0;
};

}  // namespace wave::cli
