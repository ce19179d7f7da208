// The real world: processes by the launcher, files and git by the workspace room.
#pragma once

#include "base/disk.h"
#include "base/loop.h"
#include "engine/world.h"
#include "process/follower.h"
#include "process/launcher.h"
#include "store/store.h"

namespace wave::engine {

class SystemWorld : public World {
 public:
  /// The launcher and the loop must outlive it; followers must have gone before it goes.
  SystemWorld(process::Launcher& launcher, Loop& loop, const store::StatePaths& paths);

  Result<std::unique_ptr<Followed>> start_or_attach(const process::HostRequest& request,
                                                    uint64_t out_offset, uint64_t err_offset,
                                                    process::FollowHandlers handlers) override;
  process::HostedState inspect(const std::filesystem::path& dir) override;
  Status take_over(const std::filesystem::path& workspace_root, const std::string& run_id,
                   const std::stop_token& stop) override;
  Result<workspace::Prepared> prepare_workspace(const workspace::Request& request) override;
  Result<workspace::InjectionResult> inject(
      const workspace::Prepared& workspace,
      const std::vector<workspace::Injection>& artifacts) override;
  Status clear_outputs(const workspace::Prepared& workspace,
                       const std::vector<workspace::Output>& outputs) override;
  Result<std::vector<workspace::CollectedFile>> collect(
      const workspace::Prepared& workspace, const std::string& step,
      const std::vector<workspace::Output>& outputs) override;
  Result<std::optional<workspace::Checkpoint>> checkpoint(const workspace::Prepared& workspace,
                                                          const std::string& ref,
                                                          const std::string& message) override;
  Status remove_locks(const workspace::Prepared& workspace) override;
  Status restore(const workspace::Prepared& workspace, const std::string& commit) override;
  Result<std::optional<std::string>> tree_id(const workspace::Prepared& workspace) override;
  Result<std::optional<std::string>> resolve(const workspace::Prepared& workspace,
                                             const std::string& name) override;
  Result<std::string> diff_text(const workspace::Prepared& workspace,
                                const std::string& since) override;
  Status write_file(const std::filesystem::path& folder, const std::string& path,
                    const std::string& text) override;
  contract::Assessment evaluate(const contract::Context& context) override;
  Status check_disk() override;

 private:
  process::Launcher& launcher_;
  Loop& loop_;
  const store::StatePaths paths_;
  const Ground ground_;
  process::FollowerHub hub_;
};

}  // namespace wave::engine
