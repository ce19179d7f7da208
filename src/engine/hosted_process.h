// The production Followed: launches a hosted process without waiting for it, then follows it.
#pragma once

#include "base/loop.h"
#include "engine/world.h"
#include "process/loop_launch.h"

namespace wave::engine {

/// Thread: loop.
class HostedProcess final : public Followed {
 public:
  /// Follows what runs or ran in the request's folder; starts it if nothing ever did. The folder is
  /// made within `root`, which must be there. `loop`, `launcher` and `hub` must outlive it.
  static Result<std::unique_ptr<Followed>> start(Loop& loop, process::Launcher& launcher,
                                                 process::FollowerHub& hub,
                                                 const std::filesystem::path& root,
                                                 const process::HostRequest& request,
                                                 uint64_t out_offset, uint64_t err_offset,
                                                 process::FollowHandlers handlers);
  ~HostedProcess() override;

  void stop(bool force) override;
  void pause() override;
  void resume() override;

 private:
  struct State;
  explicit HostedProcess(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace wave::engine
