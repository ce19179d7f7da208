#include "cli/start_run.h"

#include "cli/apply_retention.h"
#include "cli/plan.h"
#include "cli/run_session.h"
#include "cli/style.h"
#include "engine/input_check.h"
#include "engine/project_loading.h"
#include "engine/required_tools.h"
#include "flow/program.h"
#include "store/server_lock.h"

namespace wave::cli {
namespace {

Result<int> report_detached(Context& context, const std::string& run_id) {
  if (context.json()) {
    context.print_json(json::object{{"run_id", run_id}, {"detached", true}});
    return 0;
  }
  context.print(run_id + "\n");
  context.note("goes on in the background; watch it:  wave logs " + run_id +
               " --follow\n                            end it:    wave cancel " + run_id + "\n");
  return 0;
}

}  // namespace

flow::RunOptions run_options(const StartOverrides& overrides, std::string input) {
  flow::RunOptions options;
  options.input = std::move(input);
  options.model = overrides.model;
  options.force_model = overrides.force_model;
  options.adapter = overrides.adapter;
  options.timeout = overrides.timeout;
  options.tags = overrides.tags;
  return options;
}

model::Diagnostics missing_tools(const Context& context, const model::Project& project) {
  return engine::missing_tools(project,
                               {.folder = context.project(), .environment = context.environment()});
}

model::Loaded<model::Project> load_checked(const Context& context, const model::FileSource& files,
                                           const std::string& pipeline) {
  auto loaded = model::load_project(files, pipeline, {.manifest_path = context.manifest_path()});
  std::ranges::move(missing_tools(context, loaded.value), std::back_inserter(loaded.diagnostics));
  return loaded;
}

Result<model::Project> load_for_run(const Context& context, const model::FileSource& files,
                                    const std::string& pipeline) {
  model::Loaded<model::Project> loaded = load_checked(context, files, pipeline);
  WAVE_CHECK(engine::check_runnable(loaded.diagnostics, pipeline));
  for (const model::Diagnostic& diagnostic : loaded.diagnostics) {
    context.note(printable_lines(model::to_text(diagnostic)) + "\n");
  }
  return std::move(loaded.value);
}

Result<int> start_run(Context& context, engine::RunRequest request, bool detach) {
  request.claim = !detach;  // else a server that lives here would take it
  std::string run_id;
  {
    WAVE_TRY(const auto session, RunSession::open(context));
    WAVE_TRY(run_id, session->engine().create(request));
    adopt_orphans(context, session->store(), run_id);
    if (!detach) {
      if (!context.json() && !context.quiet()) context.note("run " + run_id + "\n");
      WAVE_TRY(const int code, session->drive(run_id, Showing::kAsAsked));
      apply_retention_briefly(context, session->store(), session->ending());
      return code;
    }
  }
  return follow_through(context, run_id, true);
}

Result<int> fork_run(Context& context, engine::ForkRequest request, bool detach) {
  request.claim = !detach;
  std::string run_id;
  {
    WAVE_TRY(const auto session, RunSession::open(context));
    WAVE_TRY(run_id, session->engine().fork(request));
    context.note("run " + run_id + ", made from " + request.origin + "\n");
    if (!detach) return session->drive(run_id, Showing::kAsAsked);
  }
  return follow_through(context, run_id, true);
}

Result<int> follow_through(Context& context, const std::string& run_id, bool detach) {
  if (detach) {
    // A server that lives here has heard of the run, and puts it into its queue.
    if (!store::living_server(context.paths())) WAVE_CHECK(spawn_owner(context, run_id));
    return report_detached(context, run_id);
  }
  WAVE_TRY(const auto session, RunSession::open(context));
  return session->drive(run_id, Showing::kAsAsked);
}

Result<int> dry_run(Context& context, const model::FileSource& files, const std::string& pipeline,
                    const flow::RunOptions& options) {
  WAVE_TRY(model::Project project, load_for_run(context, files, pipeline));
  WAVE_CHECK(engine::check_input(project.pipeline.input, options.input));
  const flow::Program program(std::move(project));
  WAVE_TRY(const flow::Plan plan, flow::make_plan(program, options));
  show_plan(context, plan);
  return 0;
}

void show_plan(const Context& context, const flow::Plan& plan) {
  if (context.json()) return context.print_json(flow::plan_json(plan));
  context.print(plan_text(plan));
}

}  // namespace wave::cli
