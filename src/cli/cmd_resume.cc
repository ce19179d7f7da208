#include "cli/commands.h"
#include "cli/start_run.h"

namespace wave::cli {
namespace {

bool has_overrides(const StartOverrides& overrides) {
  return !overrides.model.empty() || !overrides.adapter.empty() || overrides.timeout ||
         !overrides.tags.empty();
}

Result<int> resume_live(RunAccess& runs, const ResumeOptions& options, const std::string& run_id) {
  if (!options.from_step.empty() || has_overrides(options.overrides)) {
    return fail(Code::kConflict, "run " + run_id + " has not ended: it goes on as it was started",
                "resume it without further options, or cancel it first");
  }
  return runs.go_on(run_id, options.overrides.detach);
}

}  // namespace

Result<int> run_resume(Context& context, const ResumeOptions& options) {
  WAVE_TRY(RunAccess * runs, context.runs(Access::kWrite));
  WAVE_TRY(const std::string run_id, runs->resolve(options.run));
  WAVE_TRY(const store::RunDetails details, runs->run(run_id));
  const auto status = flow::run_status_from_name(details.row.status);
  if (!status) return fail(Code::kStore, "run " + run_id + " has no known status");
  if (!flow::is_terminal(*status)) return resume_live(*runs, options, run_id);
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
  return runs->fork(request, options.overrides.detach);
}

}  // namespace wave::cli
