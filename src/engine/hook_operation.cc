// Runs a lifecycle hook of type command or script (wave-model.md 1.9).
#include <fmt/core.h>

#include "agent/command_adapter.h"
#include "base/text.h"
#include "engine/hosted_operation.h"
#include "engine/launch.h"
#include "engine/step_setup.h"

namespace wave::engine {
namespace {

using flow::Kind;

constexpr int kBlockExit = 2;  // "no", rather than "I could not tell"

class RunHook final : public HostedOperation {
 public:
  RunHook(std::shared_ptr<RunContext> run, flow::Operation operation, Reporter reporter)
      : HostedOperation(std::move(run), std::move(operation), std::move(reporter)),
        hook_(*run_->program.hooks(operation_.hook_event, operation_.step).at(operation_.index)) {}

  void start() override;

 private:
  [[nodiscard]] std::string name() const;
  [[nodiscard]] Result<Launch> plan() const;
  void program_ended(Result<ProgramResult> result) override;

  const model::Hook& hook_;
};

std::string RunHook::name() const {
  const std::string purpose =
      fmt::format("hook-{}-{}", flow::hook_event_name(operation_.hook_event), operation_.index);
  const flow::StepState* state = run_->state.find(operation_.step);
  if (state == nullptr) return fmt::format("_run.{}", name_again(purpose));
  return launch_name(*state, name_again(fmt::format("{}-{}", purpose, operation_.round))).text();
}

Result<Launch> RunHook::plan() const {
  const flow::StepState* state = run_->state.find(operation_.step);
  Launch launch{.name = name(), .step = operation_.step, .plan = {}, .files = {}, .cwd = {}};
  // Beside its output: a hook works in the project itself, where nothing of ours belongs.
  launch.files = launch_folder(*run_, launch.name);
  WAVE_CHECK(agent::plan_script(hook_.command, launch.files, "hook.sh", launch.plan));
  auto& env = launch.plan.env;
  for (const char* allowed : {"HOME", "PATH", "TERM"}) {
    const auto value = run_->environment.find(allowed);
    if (value != run_->environment.end()) env[allowed] = value->second;
  }
  env["TMPDIR"] = "/tmp";
  env["WAVE_HOOK_EVENT"] = std::string(flow::hook_event_name(operation_.hook_event));
  env["WAVE_HOOK_PIPELINE"] = run_->program.project.pipeline.name;
  env["WAVE_HOOK_STEP_ID"] = operation_.step;
  env["WAVE_HOOK_RUN_ID"] = run_->run_id;
  env["WAVE_HOOK_WORKSPACE"] = state != nullptr && !state->workspace.empty()
                                   ? (run_->paths.project / state->workspace).native()
                                   : "";
  launch.cwd = run_->paths.project;
  launch.timeout = hook_.timeout;
  return launch;
}

void RunHook::start() {
  const std::string folder = name();
  if (run_->world.inspect(launch_folder(*run_, folder)) != process::HostedState::kNeverStarted) {
    return run_program(launched(*run_, folder));
  }
  Result<Launch> planned = plan();
  if (!planned) return program_ended(fail(planned.error()));
  on_pool_with_disk([run = run_, what = *std::move(planned)] { return launch(*run, what); },
                    [this](const Result<process::HostRequest>& request) {
                      if (!request) return program_ended(fail(request.error()));
                      run_program(*request);
                    });
}

void RunHook::program_ended(Result<ProgramResult> result) {
  json::object data{{"name", hook_.name},
                    {"hook_event", flow::hook_event_name(operation_.hook_event)},
                    {"index", operation_.index}};
  if (result) data["duration_ms"] = result->exit.duration.count();
  const bool passed = result && result->exit.reason == "exited" && result->exit.exit_code == 0;
  if (passed) return report_end({event(Kind::kHookPassed, std::move(data))});

  std::string reason =
      result ? fmt::format("it ended with {} {}", result->exit.reason, result->exit.exit_code)
             : full_message(result.error());
  const bool said_no =
      result && result->exit.reason == "exited" && result->exit.exit_code == kBlockExit;
  if (result && !result->err_tail.empty()) {
    const auto answer = parse_json(trim(result->err_tail));
    const bool has_reason =
        answer && answer->is_object() && answer->get_object().contains("reason");
    reason = has_reason ? std::string(get_string(answer->get_object(), "reason"))
                        : reason + ": " + std::string(trim(result->err_tail));
  }
  data["blocked"] = hook_.blocking && (said_no || !hook_.fail_open);
  data["message"] = excerpt(run_->redactor.redact(reason), 1000);
  report_end({event(Kind::kHookFailed, std::move(data))});
}

}  // namespace

std::shared_ptr<ActiveOperation> make_run_hook(std::shared_ptr<RunContext> run,
                                               const flow::Operation& operation,
                                               ActiveOperation::Reporter reporter) {
  return std::make_shared<RunHook>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
