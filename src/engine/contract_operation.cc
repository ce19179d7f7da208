// Checks one contract of a step: looked at on the pool; if a program has to run for it, that is
// followed on the loop; then its outcome is judged on the pool.
#include <fmt/core.h>

#include "agent/adapter.h"
#include "base/text.h"
#include "engine/hosted_operation.h"
#include "engine/launch.h"
#include "engine/step_setup.h"
#include "flow/model_choice.h"

namespace wave::engine {
namespace {

using flow::Kind;

constexpr size_t kMaxErrors = 20;
constexpr size_t kMaxErrorText = 2000;

// What the check needs, taken on the loop thread.
struct CheckInput {
  SetupInput setup;
  const model::Contract* contract = nullptr;
  std::string launch_name;
  bool started = false;  // its program, in an earlier life
};

// The contract looked at: a verdict, or a program to run.
struct Check {
  contract::Verdict verdict;
  std::optional<contract::Job> job;
  process::HostRequest host;                    // of the job
  std::unique_ptr<agent::OutputParser> parser;  // of a reviewer
};

std::string_view policy_name(model::OnFailure policy) {
  switch (policy) {
    case model::OnFailure::kFail:
      return "fail";
    case model::OnFailure::kSkip:
      return "skip";
    case model::OnFailure::kContinue:
      return "continue";
    case model::OnFailure::kRework:
      return "rework";
    case model::OnFailure::kWarn:
      return "warn";
    case model::OnFailure::kRejected:
      return "rejected";
  }
  return "fail";
}

contract::Verdict unevaluable(const Error& error) {
  contract::Verdict verdict;
  verdict.evaluable = false;
  verdict.message = full_message(error);
  verdict.errors = {verdict.message};
  return verdict;
}

Result<fs::path> source_path(const workspace::Prepared& prepared, const std::string& source) {
  auto path = path_within(prepared.cwd, source);
  if ((!path || !path_exists(*path)) && prepared.cwd != prepared.root) {
    path = path_within(prepared.root, source);
  }
  return path;
}

// What the reviewer is shown beside the artifact itself.
Status fill_review(const RunContext& run, const CheckInput& input,
                   const workspace::Prepared& prepared, contract::Context& context) {
  for (const flow::Artifact& artifact : input.setup.values.artifacts()) {
    const bool wanted = std::ranges::any_of(input.contract->context, [&](const auto& entry) {
      return entry.artifact == artifact.name;
    });
    if (!wanted) continue;
    WAVE_TRY(context.artifacts[artifact.name], run.store.blob(artifact.sha256));
  }
  if (prepared.is_worktree) {
    WAVE_TRY(context.artifacts["git_diff"],
             run.world.diff_text(prepared, checkpoint_ref(run.run_id, input.setup.state, true)));
  }
  const auto persona = run.manifest().personas.find(input.contract->persona);
  if (persona == run.manifest().personas.end()) {
    return fail(Code::kInvalidManifest,
                fmt::format("there is no persona \"{}\"", input.contract->persona));
  }
  context.review_system_prompt = persona->second.system_prompt;
  return {};
}

Result<contract::Context> context_of(const RunContext& run, const CheckInput& input,
                                     const workspace::Prepared& prepared,
                                     const ShellCommand& command) {
  contract::Context context;
  context.contract = input.contract;
  context.workspace = prepared.root;
  context.command_dir = prepared.cwd;
  context.command = command.text;
  WAVE_TRY(const std::string source, input.setup.values.render(input.contract->source));
  if (!source.empty()) {
    if (auto path = source_path(prepared, source)) {
      context.source = *std::move(path);
    } else {
      context.source_error = path.error().message;
    }
  }
  if (input.contract->dir != "project_root" && !input.contract->dir.empty()) {
    WAVE_TRY(context.command_dir, path_within(prepared.cwd, input.contract->dir));
  }
  if (input.contract->type == "agent_review") {
    WAVE_CHECK(fill_review(run, input, prepared, context));
  }
  return context;
}

agent::AgentRequest agent_request(const RunContext& run, const CheckInput& input,
                                  const workspace::Prepared& prepared, std::string prompt) {
  agent::AgentRequest request;
  request.step = input.setup.step->id;
  request.prompt = std::move(prompt);
  request.workspace = prepared.root;
  request.own_environment = run.environment;
  request.env_passthrough = run.manifest().runtime.sandbox.env_passthrough;
  request.attempt = input.setup.state.attempt + input.setup.state.rework_rounds;
  return request;
}

// The reviewer reads; it may not change what it judges.
Result<agent::LaunchPlan> plan_reviewer(const RunContext& run, const CheckInput& input,
                                        agent::AgentRequest request, Check& check) {
  const model::Manifest& manifest = run.manifest();
  const model::Persona& persona = manifest.personas.at(input.contract->persona);
  const std::string adapter_name =
      input.setup.step->adapter.empty() ? persona.adapter : input.setup.step->adapter;
  const agent::Adapter* adapter = agent::find_adapter(adapter_name);
  const auto config = manifest.adapters.find(adapter_name);
  if (adapter == nullptr || config == manifest.adapters.end()) {
    return fail(Code::kUnsupported, fmt::format("adapter \"{}\" is not there", adapter_name));
  }
  request.config = &config->second;
  request.persona = persona.name;
  request.script = run.file(".agents/scripts/" + persona.name + ".yaml");
  request.model =
      flow::resolve_model(manifest, adapter_name,
                          input.contract->model.empty() ? persona.model : input.contract->model);
  request.permissions = {.allowed = {"Read", "Glob", "Grep"}, .denied = persona.permissions.deny};
  request.session_id = make_uuid(run.random);
  show_project(run, request);
  check.parser = adapter->parser();
  return adapter->plan(request);
}

Status prepare_job(const RunContext& run, const CheckInput& input,
                   const workspace::Prepared& prepared, const ShellCommand& command, Check& check) {
  const bool is_review = check.job->kind == contract::Job::Kind::kReview;
  agent::AgentRequest request = agent_request(run, input, prepared, check.job->text);
  agent::LaunchPlan plan;
  if (is_review) {
    WAVE_TRY(plan, plan_reviewer(run, input, std::move(request), check));
  } else {
    request.variables = command.variables;
    WAVE_TRY(plan, agent::find_adapter("command")->plan(request));
    hand_over_input(input.setup.values.input(), input.setup.step->id, prepared.root, plan);
  }
  if (input.started) {
    check.host = launched(run, input.launch_name);
    return {};
  }
  WAVE_TRY(check.host, launch(run, {.name = input.launch_name,
                                    .step = input.setup.step->id,
                                    .plan = std::move(plan),
                                    .files = prepared.root,
                                    .cwd = is_review ? prepared.root : check.job->dir,
                                    .timeout = check.job->timeout}));
  return {};
}

Result<Check> look(const RunContext& run, const CheckInput& input) {
  WAVE_TRY(const workspace::Prepared prepared, prepare_workspace(run, input.setup));
  WAVE_TRY(const ShellCommand command,
           compile_command(input.setup.values, input.contract->command, "command"));
  WAVE_TRY(const contract::Context context, context_of(run, input, prepared, command));
  contract::Assessment assessment = run.world.evaluate(context);
  Check check{.verdict = std::move(assessment.verdict),
              .job = std::move(assessment.job),
              .host = {},
              .parser = {}};
  // What is missing may be on a disk that is not there.
  if (!check.job && !check.verdict.passed) WAVE_CHECK(run.world.check_disk());
  if (check.job) WAVE_CHECK(prepare_job(run, input, prepared, command, check));
  return check;
}

class CheckContract final : public HostedOperation {
 public:
  using HostedOperation::HostedOperation;

  void start() override;

 private:
  void run_job(Check check);
  void program_ended(Result<ProgramResult> result) override;
  [[nodiscard]] bool answers_in_print() const override { return check_.parser != nullptr; }
  void end(const contract::Verdict& verdict);

  Check check_;
  std::vector<agent::Activity> activity_;  // of the reviewer; nobody looks at it
  flow::Usage usage_;                      // the same
};

const model::Contract& contract_of(const RunContext& run, const flow::Operation& operation) {
  return run.step(operation.step).contracts.at(operation.index);
}

void CheckContract::start() {
  const model::Step& step = run_->step(operation_.step);
  const flow::StepState* state = run_->state.find(operation_.step);
  // A repaired step is judged by what its repairer left, where that worked.
  const flow::StepState* repairer =
      state->reworked_by.empty() ? nullptr : run_->state.find(state->reworked_by);
  auto input = std::make_shared<CheckInput>(CheckInput{
      .setup = setup_input(*run_, step, *state),
      .contract = &contract_of(*run_, operation_),
      .launch_name = launch_name(*state, name_again(fmt::format("contract-{}-{}", operation_.index,
                                                                operation_.round)))
                         .text()});
  input->setup.interrupt = interrupt();
  if (repairer != nullptr) input->setup.work_of = &run_->step(repairer->id);
  input->started = run_->world.inspect(launch_folder(*run_, input->launch_name)) !=
                   process::HostedState::kNeverStarted;
  on_pool_with_disk(
      [run = run_, input]() -> Result<Check> {
        const ShortageWatch watch;
        Result<Check> check = look(*run, *input);
        const bool is_judged = check && !check->job;
        if (!is_judged || check->verdict.passed) return check;
        // What could not be read for a shortage is not judged.
        if (auto shortage = watch.seen()) return fail(*std::move(shortage));
        return check;
      },
      [this](Result<Check> check) {
        if (!check) return end(unevaluable(check.error()));
        if (!check->job) return end(check->verdict);
        run_job(*std::move(check));
      });
}

void CheckContract::run_job(Check check) {
  check_ = std::move(check);
  run_program(check_.host, [this](bool err, std::string_view bytes) {
    if (!check_.parser) return;
    activity_.clear();
    err ? check_.parser->feed_err(bytes, activity_) : check_.parser->feed_out(bytes, activity_);
  });
}

void CheckContract::program_ended(Result<ProgramResult> result) {
  if (!result) return end(contract::judge(*check_.job, fail(result.error())));
  contract::Outcome outcome{.exit_code = result->exit.exit_code,
                            .signal = result->exit.signal,
                            .reason = result->exit.reason,
                            .out_tail = std::move(result->out_tail),
                            .err_tail = std::move(result->err_tail),
                            .message = {},
                            .text = {}};
  if (check_.parser) {
    const agent::AgentResult said = check_.parser->finish(result->exit, activity_);
    usage_ = said.usage;
    outcome.succeeded = said.succeeded;
    outcome.message = said.message;
    outcome.text = said.final_text;
  }
  on_pool(
      [run = run_, job = *check_.job, outcome = std::move(outcome)]() mutable {
        outcome.out_tail = run->redactor.redact(outcome.out_tail);
        outcome.err_tail = run->redactor.redact(outcome.err_tail);
        return contract::judge(job, outcome);
      },
      [this](const contract::Verdict& verdict) { end(verdict); });
}

void CheckContract::end(const contract::Verdict& verdict) {
  const model::Contract& contract = contract_of(*run_, operation_);
  json::object data{
      {"index", operation_.index}, {"type", contract.type}, {"round", operation_.round}};
  const bool failed = !verdict.passed || stop_ != flow::StopReason::kNone;
  const std::string message = stop_ != flow::StopReason::kNone    ? "the check was asked to end"
                              : failed && verdict.message.empty() ? "the contract does not hold"
                                                                  : verdict.message;
  if (!message.empty()) data["message"] = excerpt(run_->redactor.redact(message), kMaxErrorText);
  if (usage_ != flow::Usage{}) data["usage"] = flow::to_json(usage_);
  if (!verdict.notes.empty()) data["notes"] = to_array(verdict.notes);
  if (!verdict.details.empty()) data["details"] = verdict.details;
  if (!failed) {
    return report_end({event(Kind::kContractPassed, std::move(data))});
  }
  std::vector<std::string> errors;
  for (const std::string& error : verdict.errors) {
    if (errors.size() == kMaxErrors) break;
    errors.push_back(excerpt(run_->redactor.redact(error), kMaxErrorText));
  }
  const bool asked = stop_ != flow::StopReason::kNone;
  data["policy"] = policy_name(contract.on_failure);
  data["errors"] = to_array(errors);
  data["evaluable"] = verdict.evaluable;
  data["failure_class"] =
      flow::to_string(!asked ? (verdict.test_failure ? flow::FailureClass::kTestFailure
                                                     : flow::FailureClass::kContractFailure)
                      : stop_ == flow::StopReason::kStop ? flow::FailureClass::kStopped
                                                         : flow::FailureClass::kCanceled);
  if (!verdict.output.empty()) {
    data["output_tail"] =
        excerpt(run_->redactor.redact(utf8_suffix(verdict.output, kMaxErrorText)), kMaxErrorText);
  }
  report_end({event(Kind::kContractFailed, std::move(data))});
}

}  // namespace

std::shared_ptr<ActiveOperation> make_check_contract(std::shared_ptr<RunContext> run,
                                                     const flow::Operation& operation,
                                                     ActiveOperation::Reporter reporter) {
  return std::make_shared<CheckContract>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
