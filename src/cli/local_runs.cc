#include "cli/local_runs.h"

#include <fmt/format.h>

#include "cli/run_session.h"
#include "cli/start_run.h"
#include "engine/gate_decision.h"
#include "store/owner_lock.h"

namespace wave::cli {
namespace {

class StoreWatch final : public Watch {
 public:
  StoreWatch(store::Store& store, std::function<void()> changed)
      : store_(store),
        subscription_(store.subscribe(
            [changed = std::move(changed)](const std::string&, uint64_t) { changed(); })) {}
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;
  ~StoreWatch() override { store_.unsubscribe(subscription_); }

 private:
  store::Store& store_;
  uint64_t subscription_;
};

}  // namespace

Result<std::string> StoreRuns::resolve(const std::string& prefix) {
  if (!prefix.empty()) return store_.resolve_run(prefix);
  store::RunFilter newest;
  newest.limit = 1;
  WAVE_TRY(const std::vector<flow::RunRow> rows, store_.list_runs(newest));
  if (rows.empty()) return fail(Code::kNotFound, "this project has no run yet");
  return rows.front().run_id;
}

std::unique_ptr<Watch> StoreRuns::watch(const std::string&, uint64_t,
                                        std::function<void()> changed) {
  return std::make_unique<StoreWatch>(store_, std::move(changed));
}

Status StoreRuns::cancel(const std::string& run_id, bool force, const std::string& reason) {
  store::Command command;
  command.run_id = run_id;
  command.kind = "cancel";
  command.payload = {{"force", force}, {"reason", reason}};
  command.actor = actor_;
  command.via = "cli";
  command.created_at = SystemClock().wall();
  WAVE_TRY([[maybe_unused]] const int64_t id, store_.submit_command(command));
  return {};
}

Status StoreRuns::decide(const Decision& decision) {
  WAVE_TRY(const store::RunDetails details, store_.run(decision.run_id));
  engine::GateDecision made;
  made.step = decision.step;
  made.gate_id = decision.gate_id;
  made.choice = decision.choice;
  made.text = decision.text;
  made.actor = actor_;
  made.via = "cli";
  // The project's files are this user's, and so is everything that the server could refuse.
  made.person = {.subject = engine::subject_of(actor_), .role = "admin"};
  WAVE_TRY([[maybe_unused]] const flow::GateRow gate,
           engine::decide_gate(store_, details, made, SystemClock().wall()));
  return {};
}

Status LocalRuns::see_to(const store::RunDetails& details, bool wait) {
  const std::string& run_id = details.row.run_id;
  if (store::OwnerLock::is_held(context_.paths(), run_id)) return {};
  if (!wait) {
    // A run that was stopped stays so until somebody resumes it.
    if (flow::is_stopped(details.row.waiting_reason)) return {};
    return spawn_owner(context_, run_id);
  }
  // Its owner died, or it was stopped. Then we are its owner for so long.
  WAVE_TRY(const auto session, RunSession::open(context_));
  const Result<int> driven = session->drive(run_id, Showing::kNothing);
  if (driven) return {};
  // Somebody else took it in the same moment, and does it, or has done it: its owner may have ended
  // it between our asking and our looking.
  const Code code = driven.error().code;
  if (code == Code::kRunLocked || code == Code::kConflict) return {};
  return std::unexpected(driven.error());
}

Result<int> LocalRuns::start(const engine::RunRequest& request, bool detach) {
  return start_run(context_, request, detach);
}

Result<int> LocalRuns::fork(const engine::ForkRequest& request, bool detach) {
  return fork_run(context_, request, detach);
}

Result<int> LocalRuns::go_on(const std::string& run_id, bool detach) {
  if (store::OwnerLock::is_held(context_.paths(), run_id)) {
    return fail(Code::kRunLocked, "run " + run_id + " is going on in another process",
                "watch it with: wave logs " + run_id + " --follow");
  }
  return follow_through(context_, run_id, detach);
}

}  // namespace wave::cli
