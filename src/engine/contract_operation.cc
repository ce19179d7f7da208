// Checks one contract of a step.
#include <fmt/core.h>

#include "agent/prompt.h"
#include "base/text.h"
#include "engine/hosted_call.h"
#include "engine/operation.h"
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
  std::string purpose;
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

process::HostRequest host_request(const RunContext& run, const CheckInput& input,
                                  const std::string& purpose, agent::LaunchPlan plan, fs::path dir,
                                  Millis timeout) {
  const LaunchName name = launch_name(input.setup.state, purpose);
  process::HostRequest host;
  host.dir = run.paths.run(run.run_id) / name.text();
  host.agent_id = run.run_id + "/" + name.text();
  host.argv = std::move(plan.argv);
  host.env = std::move(plan.env);
  host.cwd = std::move(dir);
  host.stdin_text = std::move(plan.stdin_text);
  host.timeout = timeout;
  host.grace = run.manifest().runtime.timeouts.process_grace;
  host.max_output = run.manifest().runtime.max_output_size;
  host.owner_lock = run.paths.owner_lock(run.run_id);
  host.unattended_limit = run.manifest().runtime.unattended_limit;
  return host;
}

struct Checked {
  contract::Verdict verdict;
  flow::Usage usage;  // of the reviewer
};

class CheckContract final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override;
  void stop(flow::StopReason reason) override {
    ActiveOperation::stop(reason);
    control_->stop(stop_ == flow::StopReason::kForceCancel);
  }
  void detach() override {
    ActiveOperation::detach();
    control_->detach();
  }

 private:
  using Shared = std::shared_ptr<CallControl>;
  static Checked check(RunContext& run, const CheckInput& input, const Shared& control);
  static Result<contract::CommandOutcome> run_command(RunContext& run, const CheckInput& input,
                                                      const Shared& control,
                                                      const ShellCommand& command,
                                                      const fs::path& dir, Millis timeout);
  static Result<contract::ReviewOutcome> run_reviewer(RunContext& run, const CheckInput& input,
                                                      const Shared& control,
                                                      const workspace::Prepared& prepared,
                                                      const std::string& prompt, Millis timeout,
                                                      flow::Usage* usage);
  static Status fill_review(RunContext& run, const CheckInput& input,
                            const workspace::Prepared& prepared, contract::Context& context);
  void end(const model::Contract& contract, const Checked& checked);

  Shared control_ = std::make_shared<CallControl>();
};

void CheckContract::start() {
  const model::Step& step = run_->step(operation_.step);
  const flow::StepState* state = run_->state.find(operation_.step);
  const model::Contract& contract = step.contracts.at(operation_.index);
  // A repaired step is judged by what its repairer left, where that worked.
  const flow::StepState* repairer =
      state->reworked_by.empty() ? nullptr : run_->state.find(state->reworked_by);
  SetupInput setup = setup_input(*run_, step, *state);
  setup.interrupt = interrupt();
  if (repairer != nullptr) setup.work_of = &run_->step(repairer->id);
  auto input = std::make_shared<CheckInput>(
      CheckInput{.setup = std::move(setup),
                 .contract = &contract,
                 .purpose = fmt::format("contract-{}-{}", operation_.index, operation_.round)});
  on_pool([run = run_, input, control = control_] { return check(*run, *input, control); },
          [this, &contract](const Checked& checked) { end(contract, checked); });
}

Checked unevaluable(const Error& error) {
  return {.verdict = {.passed = false,
                      .evaluable = false,
                      .message = full_message(error),
                      .errors = {full_message(error)}},
          .usage = {}};
}

Checked CheckContract::check(RunContext& run, const CheckInput& input, const Shared& control) {
  const auto prepared = prepare_workspace(run, input.setup);
  if (!prepared) return unevaluable(prepared.error());
  contract::Context context;
  context.contract = input.contract;
  context.workspace = prepared->root;
  context.command_dir = prepared->cwd;
  flow::Usage usage;

  const auto source = input.setup.values.render(input.contract->source);
  if (!source) return unevaluable(source.error());
  if (!source->empty()) {
    auto path = path_within(prepared->cwd, *source);
    if ((!path || !fs::exists(*path)) && prepared->cwd != prepared->root) {
      path = path_within(prepared->root, *source);
    }
    if (path) {
      context.source = *path;
    } else {
      context.source_error = path.error().message;
    }
  }
  const auto command = compile_command(input.setup.values, input.contract->command, "command");
  if (!command) return unevaluable(command.error());
  context.command = command->text;
  if (input.contract->dir != "project_root" && !input.contract->dir.empty()) {
    const auto dir = path_within(prepared->cwd, input.contract->dir);
    if (!dir) return unevaluable(dir.error());
    context.command_dir = *dir;
  }
  if (input.contract->type == "agent_review") {
    if (auto filled = fill_review(run, input, *prepared, context); !filled) {
      return unevaluable(filled.error());
    }
  }
  context.run_command = [&](const std::string& line, const fs::path& dir, Millis timeout) {
    return run_command(run, input, control, {line, command->variables}, dir, timeout);
  };
  context.run_reviewer = [&](const std::string& prompt, Millis timeout) {
    return run_reviewer(run, input, control, *prepared, prompt, timeout, &usage);
  };
  contract::Verdict verdict = run.world.evaluate(context);
  return {.verdict = std::move(verdict), .usage = usage};
}

Result<contract::CommandOutcome> CheckContract::run_command(RunContext& run,
                                                            const CheckInput& input,
                                                            const Shared& control,
                                                            const ShellCommand& command,
                                                            const fs::path& dir, Millis timeout) {
  agent::AgentRequest request;
  request.step = input.setup.step->id;
  request.prompt = command.text;
  request.variables = command.variables;
  request.workspace = dir;
  request.own_environment = run.environment;
  request.env_passthrough = run.manifest().runtime.sandbox.env_passthrough;
  WAVE_TRY(agent::LaunchPlan plan, agent::find_adapter("command")->plan(request));
  WAVE_TRY(const HostedCallResult result,
           call_hosted(run, host_request(run, input, input.purpose, std::move(plan), dir, timeout),
                       control));
  return contract::CommandOutcome{.exit_code = result.exit.exit_code,
                                  .signal = result.exit.signal,
                                  .reason = result.exit.reason,
                                  .out_tail = run.redactor.redact(result.out_tail),
                                  .err_tail = run.redactor.redact(result.err_tail)};
}

// What the reviewer is shown beside the artifact itself.
Status CheckContract::fill_review(RunContext& run, const CheckInput& input,
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

// The reviewer reads; it may not change what it judges.
Result<contract::ReviewOutcome> CheckContract::run_reviewer(RunContext& run,
                                                            const CheckInput& input,
                                                            const Shared& control,
                                                            const workspace::Prepared& prepared,
                                                            const std::string& prompt,
                                                            Millis timeout, flow::Usage* usage) {
  const model::Manifest& manifest = run.manifest();
  const model::Persona& persona = manifest.personas.at(input.contract->persona);
  const std::string adapter_name =
      input.setup.step->adapter.empty() ? persona.adapter : input.setup.step->adapter;
  const agent::Adapter* adapter = agent::find_adapter(adapter_name);
  const auto config = manifest.adapters.find(adapter_name);
  if (adapter == nullptr || config == manifest.adapters.end()) {
    return fail(Code::kUnsupported, fmt::format("adapter \"{}\" is not there", adapter_name));
  }
  agent::AgentRequest request;
  request.config = &config->second;
  request.step = input.setup.step->id;
  request.persona = persona.name;
  request.prompt = prompt;
  request.script = run.file(".agents/scripts/" + persona.name + ".yaml");
  request.model =
      flow::resolve_model(manifest, adapter_name,
                          input.contract->model.empty() ? persona.model : input.contract->model);
  request.permissions = {.allowed = {"Read", "Glob", "Grep"}, .denied = persona.permissions.deny};
  request.workspace = prepared.root;
  request.session_id = make_uuid(run.random);
  request.own_environment = run.environment;
  request.env_passthrough = manifest.runtime.sandbox.env_passthrough;
  request.attempt = input.setup.state.attempt + input.setup.state.rework_rounds;
  WAVE_TRY(agent::LaunchPlan plan, adapter->plan(request));
  for (const auto& [path, text] : plan.files) {
    WAVE_CHECK(run.world.write_workspace_file(prepared, path, text));
  }
  const std::shared_ptr<agent::OutputParser> parser = adapter->parser();
  auto activity = std::make_shared<std::vector<agent::Activity>>();
  WAVE_TRY(
      const HostedCallResult result,
      call_hosted(run,
                  host_request(run, input, input.purpose, std::move(plan), prepared.root, timeout),
                  control, [parser, activity](bool err, std::string_view bytes) {
                    activity->clear();
                    err ? parser->feed_err(bytes, *activity) : parser->feed_out(bytes, *activity);
                  }));
  const agent::AgentResult said = parser->finish(result.exit, *activity);
  *usage = said.usage;
  return contract::ReviewOutcome{
      .succeeded = said.succeeded, .message = said.message, .text = said.final_text};
}

void CheckContract::end(const model::Contract& contract, const Checked& checked) {
  const contract::Verdict& verdict = checked.verdict;
  json::object data{
      {"index", operation_.index}, {"type", contract.type}, {"round", operation_.round}};
  const bool failed = !verdict.passed || stop_ != flow::StopReason::kNone;
  const std::string message = stop_ != flow::StopReason::kNone    ? "the check was asked to end"
                              : failed && verdict.message.empty() ? "the contract does not hold"
                                                                  : verdict.message;
  if (!message.empty()) data["message"] = excerpt(run_->redactor.redact(message), kMaxErrorText);
  if (checked.usage != flow::Usage{}) data["usage"] = flow::to_json(checked.usage);
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
