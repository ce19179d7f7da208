#include "agent/claude_adapter.h"

#include <unistd.h>

#include <array>

#include "agent/agent_files.h"
#include "agent/claude_parser.h"
#include "agent/guard.h"
#include "agent/permit.h"
#include "base/text.h"

namespace wave::agent {
namespace {

// The built-in tools of Claude Code, of this and earlier versions. Names it does not have are
// ignored by it, so a tool that is missing here is a tool that no persona can be given by name.
constexpr auto kTools = std::to_array<std::string_view>({
    "Agent",
    "AskUserQuestion",
    "Bash",
    "BashOutput",
    "CronCreate",
    "CronDelete",
    "CronList",
    "DesignSync",
    "Edit",
    "EnterPlanMode",
    "EnterWorktree",
    "ExitPlanMode",
    "ExitWorktree",
    "Glob",
    "Grep",
    "KillBash",
    "KillShell",
    "LS",
    "LSP",
    "ListAgents",
    "ListMcpResourcesTool",
    "Monitor",
    "MultiEdit",
    "NotebookEdit",
    "NotebookRead",
    "Read",
    "ReadMcpResourceTool",
    "ReportFindings",
    "ScheduleWakeup",
    "SendMessage",
    "SendUserMessage",
    "Skill",
    "SlashCommand",
    "StructuredOutput",
    "Task",
    "TaskCreate",
    "TaskGet",
    "TaskList",
    "TaskOutput",
    "TaskStop",
    "TaskUpdate",
    "TodoRead",
    "TodoWrite",
    "ToolSearch",
    "WebFetch",
    "WebSearch",
    "Workflow",
    "Write",
});

// The tools whose input says in one field what they are used on: only these can have an argument
// pattern.
constexpr auto kToolsWithArgument = std::to_array<std::string_view>({
    "Agent",
    "Bash",
    "Edit",
    "LS",
    "MultiEdit",
    "NotebookEdit",
    "NotebookRead",
    "Read",
    "Skill",
    "Task",
    "WebFetch",
    "WebSearch",
    "Write",
});

bool is_mcp(std::string_view name) {
  return name.starts_with("mcp__");
}

std::vector<std::string> tool_names(std::string_view pattern_name) {
  std::vector<std::string> names;
  for (const auto tool : kTools) {
    if (model::permission_matches(pattern_name, tool, "")) names.emplace_back(tool);
  }
  return names;
}

// Settings of the command line outrank those of files; they hold no secret and nobody can edit
// them.
std::string guard_settings(const std::string& guard) {
  const json::object hook{{"type", "command"}, {"command", guard}, {"timeout", 600}};
  const json::object matcher{{"matcher", "*"}, {"hooks", json::array{hook}}};
  return dump_json(json::object{{"hooks", json::object{{"PreToolUse", json::array{matcher}}}}});
}

// Rules of Claude Code for one of wave's patterns. Only for Bash are its argument rules passed on:
// they know the parts of a compound command, which a pattern over the whole text does not. Paths
// and the rest are the guard's alone, so the tool itself is allowed.
std::vector<std::string> claude_rules(const ToolPattern& pattern) {
  if (is_mcp(pattern.name)) return {pattern.name};
  std::vector<std::string> rules;
  for (auto& name : tool_names(pattern.name)) {
    const bool with_argument = pattern.has_argument && name == "Bash";
    rules.push_back(with_argument ? fmt::format("{}({})", name, pattern.argument)
                                  : std::move(name));
  }
  return rules;
}

void add_unique(std::vector<std::string>& list, std::string value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(std::move(value));
}

std::vector<std::string> environment_names(const std::map<std::string, std::string>& own) {
  std::vector<std::string> names{"ANTHROPIC_*",
                                 "CLAUDE_CONFIG_DIR",
                                 "CLAUDE_CODE_OAUTH_TOKEN",
                                 "CLAUDE_CODE_MAX_RETRIES",
                                 "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
                                 "CLAUDE_CODE_API_KEY_HELPER_TTL_MS",
                                 "CLAUDE_CODE_CLIENT_*",
                                 "CLAUDE_CODE_USE_*",
                                 "CLAUDE_CODE_SKIP_*",
                                 "MAX_THINKING_TOKENS",
                                 "API_TIMEOUT_MS",
                                 "BASH_DEFAULT_TIMEOUT_MS",
                                 "BASH_MAX_TIMEOUT_MS",
                                 "IS_SANDBOX"};
  // A cloud's credentials only for the one whose service answers the model's requests.
  if (own.contains("CLAUDE_CODE_USE_BEDROCK")) names.emplace_back("AWS_*");
  if (own.contains("CLAUDE_CODE_USE_VERTEX")) {
    names.insert(names.end(), {"GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_PROJECT",
                               "GCLOUD_PROJECT", "CLOUD_ML_REGION", "VERTEX_REGION_*"});
  }
  if (own.contains("CLAUDE_CODE_USE_FOUNDRY")) names.emplace_back("AZURE_*");
  return names;
}

std::string system_prompt(const AgentRequest& request) {
  if (is_unrestricted(request.permissions)) return request.system_prompt;
  // Without the project's settings its memory files are not read either.
  return request.system_prompt +
         "\n\nThis project may keep instructions for agents in CLAUDE.md or AGENTS.md at the top "
         "of "
         "the workspace. If you have a tool to read files, read them before you start.\n";
}

bool runs_as_root() {
  return ::geteuid() == 0;
}

}  // namespace

const AdapterInfo& ClaudeAdapter::info() const {
  static const AdapterInfo info{"claude", "Claude Code", "claude", true};
  return info;
}

Status ClaudeAdapter::check(const model::EffectivePermissions& permissions) const {
  std::vector<std::string> known(kTools.begin(), kTools.end());
  const auto check_one = [&](const std::string& text) -> Status {
    WAVE_TRY(const ToolPattern pattern, parse_tool_pattern(text));
    if (is_mcp(pattern.name)) {
      if (!pattern.has_argument) return {};
      return fail(
          Code::kInvalidManifest,
          fmt::format("claude cannot enforce '{}': arguments of an MCP tool have no pattern", text),
          "name the tool without an argument");
    }
    const auto names = tool_names(pattern.name);
    if (names.empty()) {
      const auto meant = did_you_mean(pattern.name, known);
      return fail(Code::kInvalidManifest,
                  fmt::format("claude cannot enforce '{}': it has no tool of that name", text),
                  meant
                      ? fmt::format("did you mean {}?", *meant)
                      : "tools are Read, Write, Edit, Bash, Glob, Grep, WebFetch, WebSearch, ...");
    }
    if (!pattern.has_argument) return {};
    for (const auto& name : names) {
      if (std::ranges::find(kToolsWithArgument, name) != kToolsWithArgument.end()) continue;
      return fail(Code::kInvalidManifest,
                  fmt::format("claude cannot enforce '{}': {} has no argument to hold against a "
                              "pattern",
                              text, name),
                  "name the tool without an argument");
    }
    // Claude Code's own rules for Bash know `*` and nothing else.
    if (pattern.argument.find_first_of("?[]()\\") != std::string::npos &&
        std::ranges::find(names, "Bash") != names.end()) {
      return fail(
          Code::kInvalidManifest,
          fmt::format("claude cannot enforce '{}': its patterns for commands know only *", text),
          "write the command with * in place of ? and [...]");
    }
    return {};
  };
  for (const auto& pattern : permissions.allowed) WAVE_CHECK(check_one(pattern));
  for (const auto& pattern : permissions.denied) WAVE_CHECK(check_one(pattern));
  return {};
}

std::vector<std::string> claude_permission_arguments(const model::EffectivePermissions& permissions,
                                                     const std::string& guard, bool root) {
  std::vector<std::string> arguments;
  const bool open = permissions.allowed.empty() ||
                    std::ranges::find(permissions.allowed, "*") != permissions.allowed.end();
  std::vector<std::string> tools, allowed, denied;
  bool uses_mcp = open;
  const std::vector<std::string> everything{"*"};
  for (const auto& text : open ? everything : permissions.allowed) {
    const auto pattern = parse_tool_pattern(text);
    if (!pattern) continue;  // check() has refused it; a pattern that is left out allows nothing
    uses_mcp = uses_mcp || is_mcp(pattern->name);
    for (auto& name : tool_names(pattern->name)) add_unique(tools, std::move(name));
    for (auto& rule : claude_rules(*pattern)) add_unique(allowed, std::move(rule));
  }
  for (const auto& text : permissions.denied) {
    const auto pattern = parse_tool_pattern(text);
    if (!pattern) continue;
    for (auto& rule : claude_rules(*pattern)) {
      if (!pattern->has_argument) {
        std::erase(tools, rule);
        std::erase(allowed, rule);
      }
      if (!pattern->has_argument || rule.contains('(')) add_unique(denied, std::move(rule));
    }
  }
  if (open && !root) {
    arguments.emplace_back("--permission-mode=bypassPermissions");
  } else {
    arguments.emplace_back("--permission-mode=dontAsk");
    if (!open) arguments.push_back("--tools=" + join(tools, ","));
    if (!allowed.empty()) {
      arguments.emplace_back("--allowedTools");
      arguments.insert(arguments.end(), allowed.begin(), allowed.end());
    }
  }
  if (!denied.empty()) {
    arguments.emplace_back("--disallowedTools");
    arguments.insert(arguments.end(), denied.begin(), denied.end());
  }
  if (is_unrestricted(permissions)) return arguments;
  arguments.emplace_back("--setting-sources=user");
  if (!uses_mcp) arguments.emplace_back("--strict-mcp-config");
  arguments.push_back("--settings=" + guard_settings(guard));
  return arguments;
}

Result<LaunchPlan> ClaudeAdapter::plan(const AgentRequest& request) const {
  WAVE_CHECK(check(request.permissions));
  WAVE_TRY(const std::string self, self_program(request.own_environment));
  LaunchPlan plan;
  const bool own_binary = request.config != nullptr && !request.config->binary.empty();
  plan.argv = {own_binary ? request.config->binary : info().binary, "-p",
               "--output-format=stream-json", "--verbose", "--no-session-persistence"};
  if (!request.model.empty()) plan.argv.push_back("--model=" + request.model);
  if (!request.session_id.empty()) plan.argv.push_back("--session-id=" + request.session_id);
  if (const std::string system = system_prompt(request); !trim(system).empty()) {
    const std::string file = agent_file(request, "system.md");
    plan.files[file] = system;
    plan.argv.push_back("--append-system-prompt-file=" + (request.workspace / file).string());
  }
  for (auto& argument : claude_permission_arguments(
           request.permissions, guard_command(self, request.permissions, file_roots(request)),
           runs_as_root())) {
    plan.argv.push_back(std::move(argument));
  }
  plan.env = base_environment(request.own_environment, environment_names(request.own_environment),
                              request.env_passthrough);
  plan.env["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1";
  plan.env["DISABLE_AUTOUPDATER"] = "1";
  plan.env["DISABLE_TELEMETRY"] = "1";
  plan.env["DISABLE_ERROR_REPORTING"] = "1";
  add_variables(request.variables, plan.env);
  plan.stdin_text = request.prompt;
  return plan;
}

std::unique_ptr<OutputParser> ClaudeAdapter::parser() const {
  return std::make_unique<ClaudeParser>();
}

}  // namespace wave::agent
