#include "cli/commands.h"
#include "cli/start_run.h"
#include "store/owner_lock.h"

namespace wave::cli {
namespace {

bool has_overrides(const StartOverrides& overrides) {
  return !overrides.model.empty() || !overrides.adapter.empty() || overrides.timeout ||
         !overrides.tags.empty();
}

Result<int> resume_live(Context& context, const ResumeOptions& options, const std::string& run_id) {
  if (!options.from_step.empty() || has_overrides(options.overrides)) {
    return fail(Code::kConflict, "run " + run_id + " has not ended: it goes on as it was started",
                "resume it without further options, or cancel it first");
  }
  if (store::OwnerLock::is_held(context.paths(), run_id)) {
    return fail(Code::kRunLocked, "run " + run_id + " is going on in another process",
                "watch it with: wave logs " + run_id + " --follow");
  }
  return follow_through(context, run_id, options.overrides.detach);
}

}  // namespace

Result<int> run_resume(Context& context, const ResumeOptions& options) {
  WAVE_TRY(const std::string run_id, context.resolve_run(options.run));
  WAVE_TRY(store::Store * store, context.open_store(false));
  WAVE_TRY(const store::RunDetails details, store->run(run_id));
  const auto status = flow::run_status_from_name(details.row.status);
  if (!status) return fail(Code::kStore, "run " + run_id + " has no known status");
  if (!flow::is_terminal(*status)) return resume_live(context, options, run_id);
  const bool completed =
      *status == flow::RunStatus::kCompleted || *status == flow::RunStatus::kCompletedEmpty;
  if (completed && options.from_step.empty()) {
    return fail(Code::kConflict, "run " + run_id + " has completed: there is nothing to resume",
                "to run a part of it again, say from where: --from-step STEP");
  }
  engine::ForkRequest request;
  request.origin = run_id;
  request.from_step = options.from_step;
  request.options = run_options(options.overrides, {});
  request.actor = context.actor();
  return fork_run(context, request, options.overrides.detach);
}

}  // namespace wave::cli
