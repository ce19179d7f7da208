// A hosted process as a blocking call, for work on the pool that needs a program or an agent
// (contracts, hooks). It survives the owner's death like any other: called again with the same
// folder it goes on.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "engine/run_context.h"

namespace wave::engine {

struct HostedCallResult {
  process::HostExit exit;
  std::string out_tail, err_tail;  // the last 64 KiB of each
};

/// Ends a call early from the loop thread. Shared between the operation and its work on the pool.
class CallControl {
 public:
  /// Loop thread: asks the running call, and every later one, to end.
  void stop(bool force);
  /// Loop thread: lets go; the call returns kInterrupted and the process goes on.
  void detach();

 private:
  friend Result<HostedCallResult> call_hosted(RunContext&, const process::HostRequest&,
                                              const std::shared_ptr<CallControl>&,
                                              std::function<void(bool, std::string_view)>);
  std::mutex mutex_;
  std::condition_variable ended_;
  std::unique_ptr<Followed> followed_;  // loop thread only
  bool stop_ = false, force_ = false, detached_ = false, done_ = false;
  std::optional<Error> error_;
  HostedCallResult result_;
};

/// Starts or finds the process and waits for its end (the host keeps the deadline). `on_bytes` gets
/// its output (err?, bytes) on the loop thread. Call on the pool, one call per control at a time.
Result<HostedCallResult> call_hosted(RunContext& run, const process::HostRequest& request,
                                     const std::shared_ptr<CallControl>& control,
                                     std::function<void(bool, std::string_view)> on_bytes = {});

}  // namespace wave::engine
