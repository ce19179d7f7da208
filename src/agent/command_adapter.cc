#include "agent/command_adapter.h"

#include "agent/agent_files.h"
#include "base/text.h"

namespace wave::agent {
namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.contains(word); });
}

constexpr size_t kMaxMessageTail = 1 << 10;

}  // namespace

const AdapterInfo& CommandAdapter::info() const {
  static const AdapterInfo info{"command", "a shell script", "/bin/sh", false};
  return info;
}

Status CommandAdapter::check(const model::EffectivePermissions& permissions) const {
  const bool restricts = !permissions.denied.empty() ||
                         (!permissions.allowed.empty() &&
                          std::ranges::find(permissions.allowed, "*") == permissions.allowed.end());
  if (!restricts) return {};
  return fail(Code::kInvalidPipeline,
              "a command step runs a script, which no permission can narrow",
              "remove `permissions` from the step, or let a persona do the work");
}

Status plan_script(const std::string& script, const std::filesystem::path& folder,
                   const std::string& file, LaunchPlan& plan) {
  if (script.contains('\0')) {
    return fail(Code::kInvalidPipeline, "the script contains a NUL byte", "remove it");
  }
  if (script.size() <= kMaxScriptArgument) {
    plan.argv = {"/bin/sh", "-c", script};
    return {};
  }
  plan.files[file] = script;
  plan.argv = {"/bin/sh", (folder / file).string()};
  return {};
}

Result<LaunchPlan> CommandAdapter::plan(const AgentRequest& request) const {
  LaunchPlan plan;
  plan.env = base_environment(request.own_environment, {}, request.env_passthrough);
  add_variables(request.variables, plan.env);
  const auto planned =
      plan_script(request.prompt, request.workspace, agent_file(request, "sh"), plan);
  if (!planned) return fail(planned.error().wrapped(fmt::format("step '{}'", request.step)));
  return plan;
}

std::unique_ptr<OutputParser> CommandAdapter::parser() const {
  return std::make_unique<CommandParser>();
}

flow::FailureClass classify_script_failure(std::string_view output) {
  const std::string text = to_lower(output);
  if (contains_any(text, {"test failed", "tests failed", "--- fail:", "failed tests",
                          "test result: failed", "go test ./", "npm test ", "pytest "})) {
    return flow::FailureClass::kTestFailure;
  }
  if (contains_any(text, {"invalid api key", "authentication failed", "missing binary",
                          "not found in path", "command not found", ": not found",
                          "permission denied", "access denied", "unauthorized", "forbidden"})) {
    return flow::FailureClass::kDeterministic;
  }
  return flow::FailureClass::kTransient;
}

void CommandParser::feed_out(std::string_view bytes, std::vector<Activity>& activity) {
  out_tail_.append(bytes);
  out_.feed(bytes, activity);
}

void CommandParser::feed_err(std::string_view bytes, std::vector<Activity>& activity) {
  err_tail_.append(bytes);
  err_.feed(bytes, activity);
}

AgentResult CommandParser::finish(const process::HostExit& exit, std::vector<Activity>& activity) {
  out_.finish(activity);
  err_.finish(activity);
  const std::string out = out_tail_.text();
  const std::string err = err_tail_.text();
  AgentResult result;
  if (auto failure = failure_from_exit(exit)) {
    result = *std::move(failure);
    if (exit.signal != 0 && exit.reason == "exited") result.code = Code::kScriptFailed;
  } else if (exit.exit_code == 0) {
    result.succeeded = true;
  } else {
    const std::string& words = err.empty() ? out : err;
    result.code = Code::kScriptFailed;
    result.failure = classify_script_failure(out + "\n" + err);
    result.message = fmt::format("the script {}", describe_exit(exit));
    if (!words.empty()) result.message += ": " + std::string(utf8_suffix(words, kMaxMessageTail));
  }
  result.final_text = out;
  if (!result.succeeded && !err.empty()) result.final_text += (out.empty() ? "" : "\n") + err;
  return result;
}

std::string CommandParser::save() const {
  return dump_json(json::object{{"out", out_.save()},
                                {"err", err_.save()},
                                {"out_tail", out_tail_.save()},
                                {"err_tail", err_tail_.save()}});
}

Status CommandParser::restore(std::string_view text) {
  WAVE_TRY(const json::value value, parse_json(text));
  if (!value.is_object()) return fail(Code::kStore, "the parser's state is not an object");
  const auto& state = value.as_object();
  out_.restore(get_object(state, "out"));
  err_.restore(get_object(state, "err"));
  out_tail_.restore(get_string(state, "out_tail"));
  err_tail_.restore(get_string(state, "err_tail"));
  return {};
}

}  // namespace wave::agent
