#include "agent/scripted_adapter.h"

#include "agent/agent_files.h"
#include "agent/permit.h"
#include "agent/script.h"
#include "agent/tools.h"
#include "base/text.h"

namespace wave::agent {
namespace {

constexpr size_t kMaxScriptText = 4 << 10;
constexpr size_t kMaxScriptDetail = 2 << 10;
constexpr size_t kMaxScriptFinalText = 64 << 10;

struct FailureName {
  std::string_view name;
  flow::FailureClass failure;
  Code code;
};

constexpr FailureName kFailures[] = {
    {"transient", flow::FailureClass::kTransient, Code::kAgentFailed},
    {"rate_limit", flow::FailureClass::kRateLimit, Code::kRateLimited},
    {"context_exhausted", flow::FailureClass::kContextExhausted, Code::kContextExhausted},
    {"budget_exhausted", flow::FailureClass::kBudgetExhausted, Code::kLimit},
    {"test_failure", flow::FailureClass::kTestFailure, Code::kAgentFailed},
    {"deterministic", flow::FailureClass::kDeterministic, Code::kAgentFailed},
    {"auth", flow::FailureClass::kDeterministic, Code::kAgentAuth},
};

const FailureName& failure_named(std::string_view name) {
  for (const auto& failure : kFailures) {
    if (failure.name == name) return failure;
  }
  return kFailures[0];
}

}  // namespace

const AdapterInfo& ScriptedAdapter::info() const {
  static const AdapterInfo info{"scripted", "plays a script instead of asking a model", "", true};
  return info;
}

Status ScriptedAdapter::check(const model::EffectivePermissions& permissions) const {
  for (const auto* list : {&permissions.allowed, &permissions.denied}) {
    for (const auto& pattern : *list) WAVE_CHECK(parse_tool_pattern(pattern));
  }
  return {};
}

Result<LaunchPlan> ScriptedAdapter::plan(const AgentRequest& request) const {
  WAVE_CHECK(check(request.permissions));
  std::string script = script_in_prompt(request.prompt);
  if (script.empty()) script = request.script;
  if (trim(script).empty()) {
    return fail(
        Code::kNotFound, fmt::format("step '{}' has no script to play", request.step),
        fmt::format("write .agents/scripts/{}.yaml, or a ```wave-script block in its prompt",
                    request.step));
  }
  auto actions = parse_script(script, request.attempt);
  if (!actions) {
    return fail(actions.error().wrapped(
        fmt::format("the script of step '{}' cannot be played", request.step)));
  }
  WAVE_TRY(const std::string self, self_program(request.own_environment));
  LaunchPlan plan;
  const std::string file = agent_file(request, "play.json");
  plan.files[file] = dump_json(json::object{
      {"session_id", request.session_id},
      {"model", request.model.empty() ? "scripted" : request.model},
      {"allowed", to_array(request.permissions.allowed)},
      {"denied", to_array(request.permissions.denied)},
      {"files", to_json(file_roots(request))},
      {"actions", *std::move(actions)},
  });
  plan.argv = {self, "__play", (request.workspace / file).string()};
  plan.env = base_environment(request.own_environment, {}, request.env_passthrough);
  add_variables(request.variables, plan.env);
  plan.stdin_text = request.prompt;
  return plan;
}

std::unique_ptr<OutputParser> ScriptedAdapter::parser() const {
  return std::make_unique<ScriptedParser>();
}

void ScriptedParser::feed_out(std::string_view bytes, std::vector<Activity>& activity) {
  lines_.feed(bytes, [&](const JsonLine& line) { take_line(line, activity); });
}

void ScriptedParser::feed_err(std::string_view bytes, std::vector<Activity>& activity) {
  stderr_.append(bytes);
  errors_.feed(bytes, activity);
}

void ScriptedParser::take_line(const JsonLine& line, std::vector<Activity>& activity) {
  Activity said;
  said.offset = line.offset;
  said.length = line.length;
  auto object = parse_json_line(line.text);
  if (object) return take_object(*object, std::move(said), activity);
  said.kind = "output";
  said.content = excerpt(line.text, kMaxScriptDetail);
  activity.push_back(std::move(said));
}

void ScriptedParser::take_object(const json::object& object, Activity said,
                                 std::vector<Activity>& activity) {
  const auto type = get_string(object, "type");
  said.kind = type;
  said.tool_name = excerpt(get_string(object, "name"), 128);
  if (type == "start") {
    session_id_ = excerpt(get_string(object, "session_id"), 128);
    model_ = excerpt(get_string(object, "model"), 128);
  } else if (type == "text" || type == "thinking") {
    const auto text = get_string(object, "text");
    said.content = excerpt(text, type == "text" ? kMaxScriptText : kMaxScriptDetail);
    if (type == "text") {
      last_text_ = excerpt(text, kMaxScriptFinalText);
      ++turns_;
    }
    activity.push_back(std::move(said));
  } else if (type == "tool_use") {
    said.content = excerpt(dump_json(get_object(object, "input")), kMaxScriptDetail);
    said.tool_target = excerpt(get_string(object, "target"), 200);
    said.progress = !is_read_only_tool(said.tool_name);
    activity.push_back(std::move(said));
  } else if (type == "tool_result") {
    said.content = excerpt(get_string(object, "content"), kMaxScriptDetail);
    said.is_error = get_bool(object, "is_error");
    activity.push_back(std::move(said));
  } else if (type == "denied") {
    said.kind = "notice";
    said.content = excerpt(get_string(object, "message"), kMaxScriptDetail);
    said.is_error = true;
    activity.push_back(std::move(said));
  } else if (type == "usage") {
    add_usage(usage_, {get_int(object, "in"), get_int(object, "out"), get_int(object, "cache_read"),
                       get_int(object, "cache_write"), get_double(object, "cost")});
  } else if (type == "result") {
    result_ = object;
  }
}

AgentResult ScriptedParser::finish(const process::HostExit& exit, std::vector<Activity>& activity) {
  lines_.finish([&](const JsonLine& line) { take_line(line, activity); });
  errors_.finish(activity);
  AgentResult result;
  if (auto failure = failure_from_exit(exit)) {
    result = *std::move(failure);
  } else if (result_.empty()) {
    const std::string said = stderr_.text();
    result.failure =
        exit.exit_code == 2 ? flow::FailureClass::kDeterministic : flow::FailureClass::kTransient;
    result.message = fmt::format("{} without reporting a result{}{}", describe_exit(exit),
                                 said.empty() ? "" : ": ", said);
  } else if (get_bool(result_, "success") && exit.exit_code == 0) {
    result.succeeded = true;
  } else {
    const auto& [class_name, failure_class, code] = failure_named(get_string(result_, "class"));
    result.failure = failure_class;
    result.code = code;
    result.message = excerpt(get_string(result_, "message", "failed"), kMaxScriptDetail);
    if (const int64_t wait = get_int(result_, "retry_after_ms"); wait > 0) {
      result.retry_after = Millis(wait);
    }
  }
  result.usage = usage_;
  result.session_id = session_id_;
  result.model = model_;
  const auto text = get_string(result_, "text");
  result.final_text = text.empty() ? last_text_ : excerpt(text, kMaxScriptFinalText);
  result.turns = turns_;
  return result;
}

std::string ScriptedParser::save() const {
  return dump_json(json::object{{"lines", lines_.save()},
                                {"errors", errors_.save()},
                                {"stderr", stderr_.save()},
                                {"usage", save_usage(usage_)},
                                {"session_id", session_id_},
                                {"model", model_},
                                {"last_text", last_text_},
                                {"turns", turns_},
                                {"result", result_}});
}

Status ScriptedParser::restore(std::string_view text) {
  WAVE_TRY(const json::value value, parse_json(text));
  if (!value.is_object()) return fail(Code::kStore, "the parser's state is not an object");
  const auto& state = value.as_object();
  lines_.restore(get_object(state, "lines"));
  errors_.restore(get_object(state, "errors"));
  stderr_.restore(get_string(state, "stderr"));
  usage_ = restore_usage(get_object(state, "usage"));
  session_id_ = get_string(state, "session_id");
  model_ = get_string(state, "model");
  last_text_ = get_string(state, "last_text");
  turns_ = static_cast<int>(get_int(state, "turns"));
  result_ = get_object(state, "result");
  return {};
}

}  // namespace wave::agent
