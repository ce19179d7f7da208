// Runs a lifecycle hook of type command or script (wave-model.md 1.9).
#include <fmt/core.h>

#include "base/text.h"
#include "engine/hosted_call.h"
#include "engine/operation.h"
#include "engine/step_setup.h"

namespace wave::engine {
namespace {

using flow::Kind;

constexpr int kBlockExit = 2;  // "no", rather than "I could not tell"

class RunHook final : public ActiveOperation {
 public:
  RunHook(std::shared_ptr<RunContext> run, flow::Operation operation, Reporter reporter)
      : ActiveOperation(std::move(run), std::move(operation), std::move(reporter)),
        hook_(*run_->program.hooks(operation_.hook_event, operation_.step).at(operation_.index)) {}

  void start() override {
    const process::HostRequest request = host_request();
    on_pool(
        [run = run_, request, control = control_] { return call_hosted(*run, request, control); },
        [this](const Result<HostedCallResult>& result) { end(result); });
  }
  void stop(flow::StopReason reason) override {
    ActiveOperation::stop(reason);
    control_->stop(stop_ == flow::StopReason::kForceCancel);
  }
  void detach() override {
    ActiveOperation::detach();
    control_->detach();
  }

 private:
  [[nodiscard]] process::HostRequest host_request() const;
  void end(const Result<HostedCallResult>& result);

  const model::Hook& hook_;
  std::shared_ptr<CallControl> control_ = std::make_shared<CallControl>();
};

process::HostRequest RunHook::host_request() const {
  const std::string event(flow::hook_event_name(operation_.hook_event));
  const std::string purpose = fmt::format("hook-{}-{}", event, operation_.index);
  process::HostRequest host;
  const flow::StepState* state = run_->state.find(operation_.step);
  const std::string name =
      state != nullptr ? launch_name(*state, fmt::format("{}-{}", purpose, operation_.round)).text()
                       : fmt::format("_run.{}", purpose);
  host.dir = run_->paths.run(run_->run_id) / name;
  host.agent_id = run_->run_id + "/" + name;
  host.argv = {"/bin/sh", "-c", hook_.command};
  for (const char* allowed : {"HOME", "PATH", "TERM"}) {
    const auto value = run_->environment.find(allowed);
    if (value != run_->environment.end()) host.env[allowed] = value->second;
  }
  host.env["TMPDIR"] = "/tmp";
  host.env["WAVE_HOOK_EVENT"] = event;
  host.env["WAVE_HOOK_PIPELINE"] = run_->program.project.pipeline.name;
  host.env["WAVE_HOOK_STEP_ID"] = operation_.step;
  host.env["WAVE_HOOK_RUN_ID"] = run_->run_id;
  host.env["WAVE_HOOK_WORKSPACE"] = state != nullptr && !state->workspace.empty()
                                        ? (run_->paths.project / state->workspace).native()
                                        : "";
  host.cwd = run_->paths.project;
  host.timeout = hook_.timeout;
  host.owner_lock = run_->paths.owner_lock(run_->run_id);
  host.unattended_limit = run_->manifest().runtime.unattended_limit;
  return host;
}

void RunHook::end(const Result<HostedCallResult>& result) {
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
