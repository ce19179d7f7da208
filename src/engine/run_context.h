// What the operations of one run share. Lives as long as any of them.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/id.h"
#include "base/loop.h"
#include "base/redact.h"
#include "engine/loaded_program.h"
#include "engine/slots.h"
#include "engine/world.h"
#include "flow/state.h"
#include "store/store.h"

namespace wave::engine {

/// Sees to it that nothing of an earlier owner works in a run's workspaces before anything of this
/// one does. Shared by the run's operations. Thread: the pool's, several at a time.
class Inheritance {
 public:
  /// Ends it on the first call, while the others wait; tried again after a failure.
  Status settle(World& world, const std::filesystem::path& workspace_root,
                const std::string& run_id, const std::stop_token& stop);
  /// Whether anything has worked in the workspaces in this life.
  [[nodiscard]] bool settled() const { return settled_; }

 private:
  std::mutex mutex_;
  std::atomic<bool> settled_ = false;
};

/// Thread: the loop's, but `paths`, `snapshot`, `program`, `environment`, `store`, `world` and
/// `inheritance` may be used on the pool as well: they do not change while the run lives here.
struct RunContext {
  Loop& loop;
  store::Store& store;
  World& world;
  Random& random;
  store::StatePaths paths;
  std::map<std::string, std::string> environment;  // wave's own, to pick from
  std::string run_id;
  SlotSource* slots = nullptr;                  // null: a slot is there at once
  std::shared_ptr<const LoadedProgram> loaded;  // shared with other runs
  const flow::Program& program = loaded->program;
  const store::Snapshot& snapshot = loaded->snapshot;
  Redactor redactor;
  flow::RunState state;  // live: only on the loop thread
  std::map<std::string, store::SpoolMark>
      spool_marks;  // by attempt folder name, from earlier lives
  std::unique_ptr<Inheritance> inheritance = std::make_unique<Inheritance>();

  [[nodiscard]] const model::Manifest& manifest() const { return program.project.manifest; }
  [[nodiscard]] const model::Step& step(const std::string& id) const;
  /// The text of a project file, from the snapshot; empty if it is not there.
  [[nodiscard]] std::string file(const std::string& path) const;
};

/// Names the folder of one launch: `purpose` tells a contract's or hook's process from the agent,
/// `again-<n>` a start that repeats an interrupted attempt.
struct LaunchName {
  std::string step;
  int visit = 0, attempt = 0;
  std::string purpose;

  [[nodiscard]] std::string text() const;  // "<step>.<visit>.<attempt>[.<purpose>]"
};

/// How long a step's process may run: step over command line over manifest (wave-model.md 3.6).
Millis step_timeout(const RunContext& run, const model::Step& step);

}  // namespace wave::engine
