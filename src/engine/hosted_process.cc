#include "engine/hosted_process.h"

namespace wave::engine {

using process::HostedState;

/// Either `launch` or `follower` is there. Shared, because a handler may destroy its owner.
struct HostedProcess::State : std::enable_shared_from_this<HostedProcess::State> {
  Loop& loop;
  process::FollowerHub& hub;
  const std::filesystem::path root;
  process::HostRequest request;
  uint64_t out_offset, err_offset;
  process::FollowHandlers handlers;
  std::unique_ptr<process::LoopLaunch> launch;
  std::unique_ptr<process::Follower> follower;
  bool let_go = false, paused = false, stop = false, force = false;

  State(Loop& its_loop, process::FollowerHub& its_hub, std::filesystem::path its_root,
        const process::HostRequest& its_request, uint64_t out, uint64_t err,
        process::FollowHandlers its_handlers)
      : loop(its_loop),
        hub(its_hub),
        root(std::move(its_root)),
        request(its_request),
        out_offset(out),
        err_offset(err),
        handlers(std::move(its_handlers)) {}

  Status begin_launch(process::Launcher& launcher);
  Status follow();
  void launched(const Result<process::HostMeta>& meta);
  void end_before_start();
  void tell_failure(const Error& error);
};

Status HostedProcess::State::begin_launch(process::Launcher& launcher) {
  WAVE_CHECK(make_directories_below(root, request.dir, 0700));
  WAVE_TRY(launch, process::LoopLaunch::begin(loop, launcher, request,
                                              [this](const Result<process::HostMeta>& meta) {
                                                const auto self = shared_from_this();
                                                launched(meta);
                                              }));
  return {};
}

Status HostedProcess::State::follow() {
  WAVE_TRY(follower, process::Follower::attach(hub, request.dir, out_offset, err_offset,
                                               {.on_bytes = handlers.on_bytes,
                                                .on_exit = handlers.on_exit,
                                                .on_skipped = handlers.on_skipped,
                                                .on_failed = {},
                                                .on_host_stopped = handlers.on_host_stopped}));
  if (paused) follower->pause();
  if (stop) (void)follower->stop(force);
  return {};
}

// A launch that somebody else won, or whose program could not be started, is told by the folder.
void HostedProcess::State::launched(const Result<process::HostMeta>& meta) {
  launch.reset();
  if (!meta) {
    const auto state = process::inspect(request.dir);
    if (state && *state == HostedState::kNeverStarted) return tell_failure(meta.error());
  }
  if (auto followed = follow(); !followed) tell_failure(followed.error());
}

/// Nobody has answered yet, and nobody may do so later: whoever has the folder decides.
void HostedProcess::State::end_before_start() {
  const auto forbidden = process::forbid_start(request.dir, request.agent_id);
  if (!forbidden && forbidden.error().code != Code::kConflict) return;  // the answer decides
  launch.reset();
  loop.post([self = shared_from_this(), started = !forbidden.has_value()] {
    if (self->let_go || self->follower) return;
    if (!started) {
      return self->tell_failure(Error(Code::kCancelled, "it was ended before it started"));
    }
    if (auto followed = self->follow(); !followed) self->tell_failure(followed.error());
  });
}

void HostedProcess::State::tell_failure(const Error& error) {
  if (let_go) return;
  const auto on_failed = std::move(handlers.on_failed);
  if (on_failed) on_failed(error);
}

Result<std::unique_ptr<Followed>> HostedProcess::start(Loop& loop, process::Launcher& launcher,
                                                       process::FollowerHub& hub,
                                                       const std::filesystem::path& root,
                                                       const process::HostRequest& request,
                                                       uint64_t out_offset, uint64_t err_offset,
                                                       process::FollowHandlers handlers) {
  WAVE_TRY(const HostedState found, process::inspect(request.dir));
  auto state = std::make_shared<State>(loop, hub, root, request, out_offset, err_offset,
                                       std::move(handlers));
  if (found == HostedState::kNeverStarted) {
    WAVE_CHECK(state->begin_launch(launcher));
  } else {
    WAVE_CHECK(state->follow());
  }
  return std::unique_ptr<Followed>(new HostedProcess(std::move(state)));
}

HostedProcess::~HostedProcess() {
  state_->let_go = true;
  state_->launch.reset();
  state_->follower.reset();
}

void HostedProcess::stop(bool force) {
  state_->stop = true;
  state_->force |= force;
  if (state_->follower) {
    (void)state_->follower->stop(force);
  } else if (state_->launch) {
    state_->end_before_start();
  }
}

void HostedProcess::pause() {
  state_->paused = true;
  if (state_->follower) state_->follower->pause();
}

void HostedProcess::resume() {
  state_->paused = false;
  if (state_->follower) state_->follower->resume();
}

}  // namespace wave::engine
