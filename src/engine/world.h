// The world as the engine sees it: hosted processes, workspaces, contracts, disk space. The
// production world is system_world.h; the simulation replaces it, and with it everything that is
// not deterministic.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/adapter.h"
#include "contract/contract.h"
#include "process/follower.h"
#include "process/hosted.h"
#include "workspace/workspace.h"

namespace wave::engine {

/// A hosted process that is being followed. Owned by the operation; destroying it detaches, the
/// process lives on. Thread: loop.
class Followed {
 public:
  virtual ~Followed() = default;
  /// Asks the host to end it. The end is reported through `on_exit` as usual.
  virtual void stop(bool force) = 0;
  /// Stops and goes on delivering bytes: a slow store slows the reading, not the agent.
  virtual void pause() = 0;
  virtual void resume() = 0;
};

/// Thread: loop, but for the members marked (pool), which block.
class World {
 public:
  virtual ~World() = default;

  /// Starts the process, or finds the one that an earlier life started in the same folder, and
  /// follows it from the given offsets. What cannot be started is told by an error, or later by
  /// `on_failed`.
  virtual Result<std::unique_ptr<Followed>> start_or_attach(const process::HostRequest& request,
                                                            uint64_t out_offset,
                                                            uint64_t err_offset,
                                                            process::FollowHandlers handlers) = 0;
  /// Whether something ever ran in this attempt's folder.
  virtual process::HostedState inspect(const std::filesystem::path& dir) = 0;

  /// Ends what a dead owner, or a git that was killed, left in the run's workspaces
  /// (workspace::take_over).
  virtual Status take_over(const std::filesystem::path& workspace_root, const std::string& run_id,
                           const std::stop_token& stop) = 0;                             // (pool)
  virtual Result<workspace::Prepared> prepare_workspace(const workspace::Request&) = 0;  // (pool)
  virtual Result<workspace::InjectionResult> inject(
      const workspace::Prepared&, const std::vector<workspace::Injection>&) = 0;  // (pool)
  virtual Status clear_outputs(const workspace::Prepared&,
                               const std::vector<workspace::Output>&) = 0;  // (pool)
  virtual Result<std::vector<workspace::CollectedFile>> collect(
      const workspace::Prepared&, const std::string& step,
      const std::vector<workspace::Output>&) = 0;  // (pool)
  virtual Result<std::optional<workspace::Checkpoint>> checkpoint(
      const workspace::Prepared&, const std::string& ref,
      const std::string& message) = 0;                                                 // (pool)
  virtual Status remove_locks(const workspace::Prepared&) = 0;                         // (pool)
  virtual Status restore(const workspace::Prepared&, const std::string& commit) = 0;   // (pool)
  virtual Result<std::optional<std::string>> tree_id(const workspace::Prepared&) = 0;  // (pool)
  /// What a git name stands for in the workspace's repository, if anything.
  virtual Result<std::optional<std::string>> resolve(const workspace::Prepared&,
                                                     const std::string& name) = 0;  // (pool)
  /// The worktree's uncommitted and committed changes since a commit or ref, as text, bounded.
  virtual Result<std::string> diff_text(const workspace::Prepared&,
                                        const std::string& since) = 0;  // (pool)
  /// Writes a file below `folder`, its folders included; never outside of it.
  virtual Status write_file(const std::filesystem::path& folder, const std::string& path,
                            const std::string& text) = 0;               // (pool)
  virtual contract::Assessment evaluate(const contract::Context&) = 0;  // (pool)
  /// Whether the disk has room, inodes and the folders that runs stand on, and takes files: what
  /// base/disk.h says of the project and the state folder.
  virtual Status check_disk() = 0;  // (pool)
};

}  // namespace wave::engine
