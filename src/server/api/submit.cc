// Accepting runs.
#include <charconv>

#include "agent/adapter.h"
#include "base/hash.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "engine/input_check.h"
#include "engine/project_loading.h"
#include "engine/required_tools.h"
#include "flow/plan.h"
#include "model/project.h"
#include "server/api/handlers.h"
#include "server/api/peer_guard.h"
#include "server/api/problem.h"
#include "server/queue/supervisor.h"

namespace wave::server::api {
namespace {

struct Submission {
  std::string pipeline;
  flow::RunOptions options;
  bool dry_run = false;
};

Status check_pipeline(const Services& services, const std::string& pipeline) {
  const ShortageWatch watch;
  const model::DiskSource files(services.paths.project);
  const std::vector<std::string> names = model::pipeline_names(files);
  if (std::ranges::find(names, pipeline) != names.end()) return {};
  if (auto shortage = watch.seen()) return fail(*std::move(shortage));
  const auto meant = did_you_mean(pipeline, names);
  Error error(Code::kNotFound, fmt::format("there is no pipeline '{}'", pipeline));
  error.hint = meant           ? fmt::format("did you mean '{}'?", *meant)
               : names.empty() ? std::string("this project has none: wave init writes some")
                               : "GET /api/pipelines lists those of the project";
  error.others.push_back(finding("/pipeline", error.message));
  return fail(std::move(error));
}

Status check_adapter(const Settings& settings, const std::string& adapter) {
  if (adapter.empty() || settings.manifest.adapters.contains(adapter) ||
      agent::find_adapter(adapter) != nullptr) {
    return {};
  }
  return fail(bad_member("/adapter", fmt::format("there is no adapter '{}'", adapter),
                         "GET /api/adapters lists them"));
}

flow::RunOptions options_of(const json::object& body) {
  flow::RunOptions options;
  options.input = get_string(body, "input");
  options.model = get_string(body, "model");
  options.force_model = get_bool(body, "force_model");
  options.adapter = get_string(body, "adapter");
  options.steps = get_strings(body, "steps");
  options.exclude = get_strings(body, "exclude");
  options.skip_gates = get_bool(body, "skip_gates");
  if (const int64_t timeout = get_int(body, "timeout_ms"); timeout > 0) {
    options.timeout = Millis(timeout);
  }
  for (const auto& [key, value] : get_object(body, "tags")) {
    options.tags.emplace(key, json_to_text(value));
  }
  return options;
}

std::vector<std::string> comma_list(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string& part : split(text, ',')) {
    if (const auto name = trim(part); !name.empty()) names.emplace_back(name);
  }
  return names;
}

/// Older scripts say minutes and comma lists.
Submission older(const json::object& body, std::string pipeline) {
  Submission submission{
      .pipeline = std::move(pipeline), .options = {}, .dry_run = get_bool(body, "dry_run")};
  flow::RunOptions& options = submission.options;
  options.input = get_string(body, "input");
  options.model = get_string(body, "model");
  options.force_model = get_bool(body, "force_model");
  options.adapter = get_string(body, "adapter");
  options.steps = comma_list(get_string(body, "steps"));
  options.exclude = comma_list(get_string(body, "exclude"));
  if (const int64_t minutes = get_int(body, "timeout"); minutes > 0) {
    options.timeout = std::chrono::minutes(minutes);
  }
  if (const auto source = get_string(body, "source"); !source.empty()) {
    options.tags.emplace("source", source);
  }
  return submission;
}

Result<http::Response> plan(const Call& call, const Submission& submission) {
  const auto settings = call.services.settings.load();
  const model::DiskSource files(call.services.paths.project);
  WAVE_TRY(const engine::LoadedProgram loaded,
           engine::load_from_source(files, call.services.paths, settings->manifest_path,
                                    submission.pipeline, {}));
  WAVE_CHECK(engine::check_input(loaded.program.project.pipeline.input, submission.options.input));
  const json::object& forge = get_object(loaded.snapshot.facts, "forge");
  WAVE_CHECK(engine::check_tools(loaded.program.project,
                                 {.environment = call.services.environment, .forge = forge}));
  WAVE_TRY(const flow::Plan planned, flow::make_plan(loaded.program, submission.options));
  return json_response(flow::plan_json(planned));
}

/// To run without gates is to answer them all: an administrator may, and no agent.
Status check_skips_gates(const Call& call) {
  if (call.identity.role < auth::Role::kAdmin) {
    Error error(Code::kPermissionDenied,
                fmt::format("{} has the role {}; skip_gates takes admin", call.identity.actor(),
                            auth::to_string(call.identity.role)),
                "leave skip_gates away: whoever may answer the gates is asked");
    error.reason = "role_admin_required";
    return fail(std::move(error));
  }
  const ShortageWatch watch;
  const auto agent = agent_behind(call.request.peer);
  if (agent) {
    return fail(Code::kGateSelfDecision,
                "this is called from inside an agent (" + *agent + "), which must not skip gates",
                "leave skip_gates away: a person answers the gates");
  }
  // Whom it could not look at may be an agent.
  if (auto shortage = watch.seen()) return fail(*std::move(shortage));
  return {};
}

Result<http::Response> submit(const Call& call, Submission submission) {
  Services& services = call.services;
  const auto settings = services.settings.load();
  WAVE_CHECK(check_pipeline(services, submission.pipeline));
  WAVE_CHECK(check_adapter(*settings, submission.options.adapter));
  if (!submission.options.steps.empty() && !submission.options.exclude.empty()) {
    return fail(bad_member("/exclude", "cannot be given together with steps", "use one of them"));
  }
  if (submission.options.skip_gates) WAVE_CHECK(check_skips_gates(call));
  if (submission.dry_run) return plan(call, submission);
  WAVE_CHECK(services.takes_runs());
  engine::RunRequest request;
  request.pipeline = submission.pipeline;
  request.manifest_path = settings->manifest_path;
  request.options = std::move(submission.options);
  request.actor = call.identity.actor();
  WAVE_TRY(request.idempotency_key, idempotency_key(call));
  if (!request.idempotency_key.empty()) {
    request.request_hash = sha256_hex(submission.pipeline + "\n" + dump_json(call.body));
  }
  request.audit = call.audit(201);
  WAVE_TRY(const std::string run_id, services.engine.create(request));
  services.queue.submitted(run_id);
  const std::optional<int> position = services.queue.position(run_id);
  std::string status = "queued";
  // It is stored and will run: a read that fails now must not make it look refused.
  if (!position) {
    if (const auto details = services.store.run(run_id)) status = details->row.status;
  }
  http::Response response = json_response(
      json::object{{"run_id", run_id},
                   {"pipeline", submission.pipeline},
                   {"pipeline_name", submission.pipeline},
                   {"status", status},
                   {"queue_position", position ? json::value(*position) : json::value(nullptr)}},
      201);
  response.headers.add("Location", services.base_path + "/api/runs/" + run_id);
  return response;
}

}  // namespace

Result<http::Response> submit_run(Call& call) {
  const json::object& body = call.body.get_object();
  return submit(call, {.pipeline = std::string(get_string(body, "pipeline")),
                       .options = options_of(body),
                       .dry_run = get_bool(body, "dry_run")});
}

Result<http::Response> start_pipeline(Call& call) {
  return submit(call, older(call.body.get_object(), call.text("name")));
}

}  // namespace wave::server::api
