#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/start_run.h"
#include "process/agent_guard.h"

namespace wave::cli {
namespace {

constexpr size_t kMostInput = 1 << 20;

Result<std::string> read_standard_input() {
  std::string text;
  for (std::array<char, 65536> buffer{};;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::unexpected(errno_error(errno, "cannot read standard input"));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
    if (text.size() > kMostInput) {
      return fail(Code::kLimit, "the input is larger than 1 MiB",
                  "put it into a file and name the file in the input");
    }
  }
}

Result<std::string> only_pipeline(const Context& context) {
  const std::vector<std::string> names = model::pipeline_names(context.files());
  if (names.size() == 1) return names.front();
  if (names.empty()) {
    return fail(Code::kNotFound, "this project has no pipeline",
                "wave init writes some to start with");
  }
  return fail(Code::kUsage, "which pipeline is to be run?", "there are: " + join(names, ", "));
}

Status check_pipeline_exists(const Context& context, const std::string& pipeline) {
  const std::vector<std::string> names = model::pipeline_names(context.files());
  const bool is_path = pipeline.contains('/') || pipeline.ends_with(".yaml");
  if (is_path || std::ranges::find(names, pipeline) != names.end()) return {};
  Error error(Code::kNotFound, "there is no pipeline '" + pipeline + "'");
  if (const auto meant = did_you_mean(pipeline, names)) {
    error.hint = "did you mean: wave run " + *meant;
  } else {
    error.hint =
        names.empty() ? "wave init writes some to start with" : "there are: " + join(names, ", ");
  }
  return std::unexpected(std::move(error));
}

/// `--from-step` takes over what earlier steps made, so there has to be a run that made it.
Result<std::string> run_to_begin_from(Context& context, const std::string& pipeline) {
  std::string name = pipeline;
  if (context.server().empty()) {
    WAVE_TRY(const model::Project project, load_for_run(context, context.files(), pipeline));
    name = project.pipeline.name;
  }
  WAVE_TRY(RunAccess * runs, context.runs(Access::kWrite));
  store::RunFilter filter;
  filter.pipeline = name;
  filter.statuses = {"completed", "completed_empty", "failed", "rejected", "cancelled"};
  filter.limit = 1;
  WAVE_TRY(const std::vector<flow::RunRow> rows, runs->list(filter));
  if (!rows.empty()) return rows.front().run_id;
  return fail(Code::kNotFound,
              "no run of " + pipeline + " has ended yet whose earlier steps could be taken over",
              "run it from its beginning first, or choose steps with --steps");
}

Result<int> run_from_step(Context& context, const RunOptions& options,
                          const engine::RunRequest& request) {
  WAVE_TRY(const std::string origin, run_to_begin_from(context, request.pipeline));
  context.note("takes over the steps before " + options.from_step +
               ", the input and the files from " + origin + "\n");
  engine::ForkRequest fork;
  fork.origin = origin;
  fork.from_step = options.from_step;
  fork.options = request.options;
  fork.options.from_step.clear();
  fork.actor = request.actor;
  WAVE_TRY(RunAccess * runs, context.runs(Access::kCreate));
  return runs->fork(fork, options.overrides.detach);
}

/// An agent must not bypass gates (promise G10).
Status refuse_agents_skipping(const Context& context) {
  const auto agent = process::calling_agent(context.environment());
  if (!agent) return {};
  return fail(Code::kGateSelfDecision,
              "this is called from inside an agent (" + *agent + "), which must not skip gates",
              "run it without --skip-gates: a person answers the gates");
}

Result<int> dry_run_there(Context& context, const engine::RunRequest& request) {
  if (!request.options.from_step.empty()) {
    return fail(Code::kUnsupported, "a server plans a pipeline from its beginning only",
                "leave --from-step away, or name steps with --steps");
  }
  WAVE_TRY(RunAccess * runs, context.runs(Access::kRead));
  WAVE_TRY(const flow::Plan plan, runs->plan(request));
  show_plan(context, plan);
  return 0;
}

}  // namespace

Result<int> run_run(Context& context, const RunOptions& options) {
  std::string pipeline = options.pipeline;
  // A server knows its own pipelines, and says so when there is none of that name.
  const bool local = context.server().empty();
  if (pipeline.empty() && !local) {
    return fail(Code::kUsage, "which of the server's pipelines is to be run?",
                "name it: wave run PIPELINE");
  }
  if (pipeline.empty()) {
    WAVE_TRY(pipeline, only_pipeline(context));
  }
  if (local) WAVE_CHECK(check_pipeline_exists(context, pipeline));
  if (options.skip_gates) WAVE_CHECK(refuse_agents_skipping(context));
  std::string input = options.input;
  if (input == "-") {
    WAVE_TRY(input, read_standard_input());
  }
  engine::RunRequest request;
  request.pipeline = pipeline;
  request.manifest_path = context.manifest_path();
  request.options = run_options(options.overrides, std::move(input));
  request.options.steps = options.steps;
  request.options.exclude = options.exclude;
  request.options.skip_gates = options.skip_gates;
  request.options.from_step = options.from_step;
  request.actor = context.actor();
  if (options.dry_run && local) {
    return dry_run(context, context.files(), pipeline, request.options);
  }
  if (options.dry_run) return dry_run_there(context, request);
  if (!options.from_step.empty()) return run_from_step(context, options, request);
  WAVE_TRY(RunAccess * runs, context.runs(Access::kCreate));
  return runs->start(request, options.overrides.detach);
}

}  // namespace wave::cli
