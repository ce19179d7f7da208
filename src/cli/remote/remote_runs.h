// The runs of a server (--server, WAVE_SERVER), as commands see them.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "cli/remote/api_client.h"
#include "cli/remote/follower.h"
#include "cli/run_access.h"

namespace wave::cli::remote {

class RemoteRuns final : public RunAccess {
 public:
  /// The context outlives this.
  RemoteRuns(const Context& context, ServerPlace place)
      : context_(context), client_(std::move(place)) {}

  Result<std::string> resolve(const std::string& prefix) override;
  Result<store::RunDetails> run(const std::string& run_id) override;
  Result<std::vector<flow::RunRow>> list(const store::RunFilter& filter) override;
  Result<std::vector<store::StoredEvent>> events(const std::string& run_id,
                                                 const store::EventQuery& query) override;
  Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() override;
  std::unique_ptr<Watch> watch(const std::string& run_id, uint64_t after,
                               std::function<void()> changed) override;
  Status cancel(const std::string& run_id, bool force, const std::string& reason) override;
  Status decide(const Decision& decision) override;
  /// The server sees to it.
  Status see_to(const store::RunDetails&, bool) override { return {}; }
  Result<flow::Plan> plan(const engine::RunRequest& request) override;
  Result<int> start(const engine::RunRequest& request, bool detach) override;
  Result<int> fork(const engine::ForkRequest& request, bool detach) override;
  Result<int> go_on(const std::string& run_id, bool detach) override;

 private:
  class RunWatch;
  struct Followed {
    std::shared_ptr<Follower> follower;
    uint64_t known = 0;  // the last event that the server has told of
  };
  std::shared_ptr<Follower> followed(const std::string& run_id, uint64_t& known);
  Result<int> resume(const std::string& run_id, json::object body, bool detach);
  Result<int> show(const std::string& run_id, bool detach);

  const Context& context_;
  const ApiClient client_;
  std::mutex mutex_;
  std::map<std::string, Followed> followed_;  // guarded by mutex_
};

/// The server that the context names. kUsage when the URL is none.
Result<std::unique_ptr<RunAccess>> connect(const Context& context);

}  // namespace wave::cli::remote
