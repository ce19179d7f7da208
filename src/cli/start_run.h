// What `run`, `do` and `resume` share: from a request to a run that is shown, or detached.
#pragma once

#include <map>
#include <string>

#include "cli/context.h"
#include "engine/engine.h"
#include "flow/plan.h"
#include "model/project.h"

namespace wave::cli {

flow::RunOptions run_options(const StartOverrides& overrides, std::string input);

/// The pipeline with everything there is to say about it, also what this machine lacks for it.
model::Loaded<model::Project> load_checked(const Context& context, const model::FileSource& files,
                                           const std::string& pipeline);

/// The programs that the project's pipeline requires and that steps would not find.
model::Diagnostics missing_tools(const Context& context, const model::Project& project);

/// Loads what a run would be made from. Errors become one Error that names the first, says how many
/// there are, and has its place; the others are printed as notes.
Result<model::Project> load_for_run(const Context& context, const model::FileSource& files,
                                    const std::string& pipeline);

/// Creates the run and drives it, or hands it to a background owner. Returns the exit code.
Result<int> start_run(Context& context, engine::RunRequest request, bool detach);
/// The same for a run made from one that has ended.
Result<int> fork_run(Context& context, engine::ForkRequest request, bool detach);
/// The same for a run that exists.
Result<int> follow_through(Context& context, const std::string& run_id, bool detach);
/// Prints the plan of a request.
Result<int> dry_run(Context& context, const model::FileSource& files, const std::string& pipeline,
                    const flow::RunOptions& options);
void show_plan(const Context& context, const flow::Plan& plan);

}  // namespace wave::cli
