// The runs of this project's store.
#pragma once

#include "cli/context.h"
#include "cli/run_access.h"

namespace wave::cli {

/// Reading only: for a view of a run that is driven elsewhere in this process.
class StoreRuns : public RunAccess {
 public:
  /// `actor` is who asks. The store outlives this.
  StoreRuns(store::Store& store, std::string actor) : store_(store), actor_(std::move(actor)) {}

  Result<std::string> resolve(const std::string& prefix) override;
  Result<store::RunDetails> run(const std::string& run_id) override { return store_.run(run_id); }
  Result<std::vector<flow::RunRow>> list(const store::RunFilter& filter) override {
    return store_.list_runs(filter);
  }
  Result<std::vector<store::StoredEvent>> events(const std::string& run_id,
                                                 const store::EventQuery& query) override {
    return store_.events(run_id, query);
  }
  Result<std::vector<std::pair<std::string, flow::GateRow>>> waiting_gates() override {
    return store_.waiting_gates();
  }
  std::unique_ptr<Watch> watch(const std::string& run_id, uint64_t after,
                               std::function<void()> changed) override;
  Status cancel(const std::string& run_id, bool force, const std::string& reason) override;
  Status decide(const Decision& decision) override;
  Status see_to(const store::RunDetails&, bool) override { return not_here(); }
  /// A plan of this project needs no store: cli/start_run.h.
  Result<flow::Plan> plan(const engine::RunRequest&) override { return not_here(); }
  Result<int> start(const engine::RunRequest&, bool) override { return not_here(); }
  Result<int> fork(const engine::ForkRequest&, bool) override { return not_here(); }
  Result<int> go_on(const std::string&, bool) override { return not_here(); }

 protected:
  store::Store& store_;

 private:
  static std::unexpected<Error> not_here() {
    return fail(Code::kInternal, "runs are not started from here");
  }
  std::string actor_;
};

/// With what drives runs: an owner in this process, or one in the background.
class LocalRuns final : public StoreRuns {
 public:
  /// The context outlives this; what it starts needs the context's launcher.
  LocalRuns(Context& context, store::Store& store)
      : StoreRuns(store, context.actor()), context_(context) {}

  Status see_to(const store::RunDetails& details, bool wait) override;
  Result<int> start(const engine::RunRequest& request, bool detach) override;
  Result<int> fork(const engine::ForkRequest& request, bool detach) override;
  Result<int> go_on(const std::string& run_id, bool detach) override;

 private:
  Context& context_;
};

}  // namespace wave::cli
