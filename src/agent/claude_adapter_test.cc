#include "agent/claude_adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/guard.h"
#include "agent/permit.h"
#include "agent/test_support.h"

namespace wave::agent {
namespace {

using model::EffectivePermissions;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

AgentRequest request() {
  AgentRequest request;
  request.step = "plan";
  request.persona = "planner";
  request.prompt = "the prompt with hunter2-secret";
  request.system_prompt = "the system prompt";
  request.model = "claude-opus-4";
  request.workspace = "/w";
  request.session_id = "11111111-2222-4333-8444-555555555555";
  request.own_environment = {{"PATH", "/bin"},
                             {"WAVE_SELF", "/usr/bin/wave"},
                             {"ANTHROPIC_API_KEY", "sk-ant-dummy-key"},
                             {"AWS_SECRET_ACCESS_KEY", "aws-secret"},
                             {"CLAUDECODE", "1"},
                             {"CLAUDE_CODE_SSE_PORT", "1"},
                             {"GITHUB_TOKEN", "gh-secret"}};
  return request;
}

Result<LaunchPlan> plan(const AgentRequest& request) {
  return ClaudeAdapter().plan(request);
}

TEST(ClaudeAdapter, CommandLine) {
  const auto made = plan(request());
  ASSERT_TRUE(made);
  std::vector<std::string> argv = made->argv;
  argv.resize(8);
  EXPECT_THAT(argv, ElementsAre("claude", "-p", "--output-format=stream-json", "--verbose",
                                "--no-session-persistence", "--model=claude-opus-4",
                                "--session-id=11111111-2222-4333-8444-555555555555",
                                "--append-system-prompt-file=/w/.agents/agent/plan.system.md"));
  EXPECT_EQ(made->stdin_text, "the prompt with hunter2-secret");
  EXPECT_EQ(made->files.at(".agents/agent/plan.system.md"), "the system prompt");
  EXPECT_EQ(made->env.at("ANTHROPIC_API_KEY"), "sk-ant-dummy-key");
  EXPECT_EQ(made->env.at("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"), "1");
}

TEST(ClaudeAdapter, TheManifestNamesTheBinary) {
  model::AdapterConfig config;
  config.binary = "/opt/claude";
  AgentRequest asked = request();
  asked.config = &config;
  EXPECT_EQ(plan(asked)->argv[0], "/opt/claude");
}

TEST(Promises, S6_NeitherPromptNorSecretIsInArgv) {
  for (const Adapter* adapter : {find_adapter("claude"), find_adapter("scripted")}) {
    AgentRequest asked = request();
    asked.script = "- say: hunter2-secret";
    asked.variables = {{"WAVE_T1", "value-of-a-variable"}};
    asked.permissions.allowed = {"Read"};
    const auto made = adapter->plan(asked);
    ASSERT_TRUE(made) << made.error().message;
    for (const auto& argument : made->argv) {
      for (const std::string secret : {"hunter2-secret", "the system prompt", "sk-ant-dummy-key",
                                       "value-of-a-variable", "gh-secret"}) {
        EXPECT_THAT(argument, Not(HasSubstr(secret)));
      }
    }
  }
  // A command's values travel in its environment.
  AgentRequest asked = request();
  asked.prompt = "echo \"$WAVE_T1\"";
  asked.variables = {{"WAVE_T1", "value-of-a-variable"}};
  const auto made = find_adapter("command")->plan(asked);
  ASSERT_TRUE(made);
  EXPECT_THAT(made->argv, ElementsAre("/bin/sh", "-c", "echo \"$WAVE_T1\""));
}

TEST(ClaudeAdapter, EnvironmentIsAnAllowList) {
  AgentRequest asked = request();
  auto made = plan(asked);
  for (const auto name : {"AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "CLAUDECODE",
                          "CLAUDE_CODE_SSE_PORT", "WAVE_SELF"}) {
    EXPECT_FALSE(made->env.contains(name)) << name;
  }
  asked.own_environment["CLAUDE_CODE_USE_BEDROCK"] = "1";
  made = plan(asked);
  EXPECT_TRUE(made->env.contains("AWS_SECRET_ACCESS_KEY"));
  EXPECT_TRUE(made->env.contains("CLAUDE_CODE_USE_BEDROCK"));
}

TEST(Promises, S8_EverythingIsAllowedOnlyWhenNothingIsRestricted) {
  EXPECT_THAT(claude_permission_arguments({}, "guard", false),
              ElementsAre("--permission-mode=bypassPermissions"));
  EXPECT_THAT(claude_permission_arguments({{"*"}, {}}, "guard", false),
              ElementsAre("--permission-mode=bypassPermissions"));
  const auto root = claude_permission_arguments({{"*"}, {}}, "guard", true);
  EXPECT_THAT(root, Not(Contains(HasSubstr("bypass"))));
  EXPECT_EQ(root[0], "--permission-mode=dontAsk");
  EXPECT_THAT(root, Contains("Bash"));
  EXPECT_THAT(root, Contains("Write"));
}

TEST(Promises, S8_RestrictedAgentsGetTheirToolsAndTheGuard) {
  for (const bool root : {false, true}) {
    const auto arguments = claude_permission_arguments(
        {{"Read", "Bash(git *)", "Write(docs/**)"}, {"WebFetch", "Bash(git push *)"}}, "ask-guard",
        root);
    EXPECT_THAT(
        arguments,
        ElementsAre(
            "--permission-mode=dontAsk", "--tools=Read,Bash,Write", "--allowedTools", "Read",
            "Bash(git *)", "Write", "--disallowedTools", "WebFetch", "Bash(git push *)",
            "--setting-sources=user", "--strict-mcp-config",
            R"(--settings={"hooks":{"PreToolUse":[{"matcher":"*","hooks":[{"type":"command","command":"ask-guard","timeout":600}]}]}})"));
  }
  const auto denied = claude_permission_arguments({{}, {"Bash"}}, "ask-guard", false);
  EXPECT_EQ(denied[0], "--permission-mode=bypassPermissions");
  EXPECT_THAT(denied, Contains(StartsWith("--settings=")));
  EXPECT_THAT(denied, Contains("Bash"));
  // A list that narrowed to nothing.
  const auto nothing = claude_permission_arguments({{}, {"*"}}, "ask-guard", true);
  EXPECT_THAT(nothing, Not(Contains("--allowedTools")));
  EXPECT_THAT(nothing, Contains(StartsWith("--settings=")));
}

TEST(Promises, S8_WhatCannotBeEnforcedIsRefused) {
  const ClaudeAdapter claude;
  for (const std::string good :
       {"Read", "*", "Bash(git *)", "Bash(git:*)", "Bash(*)", "Web*", "Write(src/**)", "Read(*.md)",
        "WebFetch(domain:example.com)", "mcp__server__tool", "Edit(a?.txt)"}) {
    EXPECT_TRUE(claude.check({{good}, {}})) << good;
    EXPECT_TRUE(claude.check({{}, {good}})) << good;
  }
  for (const std::string bad : {"Bsh", "read", "Bash(git *", "Bash()", "", "Read Write",
                                "Read,Write", "Grep(secret)", "TodoWrite(x)", "mcp__s__t(x)",
                                "Bash(rm ?)", "Bash(rm [ab])", "Bash(a\nb)", "(x)", "*(x)"}) {
    const auto allowed = claude.check({{bad}, {}});
    ASSERT_FALSE(allowed) << bad;
    EXPECT_EQ(allowed.error().code, Code::kInvalidManifest);
    EXPECT_FALSE(allowed.error().hint.empty()) << bad;
    EXPECT_FALSE(claude.check({{}, {bad}})) << bad;
    AgentRequest asked = request();
    asked.permissions.allowed = {bad};
    EXPECT_FALSE(plan(asked)) << bad;
  }
  EXPECT_THAT(claude.check({{"Bsh"}, {}}).error().hint, HasSubstr("Bash"));
  const Adapter& command = *find_adapter("command");
  EXPECT_TRUE(command.check({{"*"}, {}}));
  EXPECT_FALSE(command.check({{"Read"}, {}}));
  EXPECT_FALSE(command.check({{}, {"Bash"}}));
}

// ---- the guard ----------------------------------------------------------------------------------

std::string ask(const EffectivePermissions& permissions, const std::string& tool,
                const json::object& input, const FileRoots& roots) {
  json::object rules = to_json(roots);
  rules["allowed"] = to_array(permissions.allowed);
  rules["denied"] = to_array(permissions.denied);
  const json::object use{
      {"tool_name", tool}, {"tool_input", input}, {"cwd", roots.workspace.string()}};
  const auto answer = guard_answer(dump_json(rules), dump_json(use));
  EXPECT_TRUE(answer);
  if (!answer || answer->empty()) return "";
  const json::value parsed = *parse_json(*answer);
  const auto& output = get_object(parsed.as_object(), "hookSpecificOutput");
  EXPECT_EQ(get_string(output, "hookEventName"), "PreToolUse");
  EXPECT_FALSE(get_string(output, "permissionDecisionReason").empty());
  return std::string(get_string(output, "permissionDecision"));
}

TEST(Promises, S8_TheGuardAppliesPatternsExactly) {
  const TestWorkspace workspace;
  const fs::path& root = workspace.path();
  const FileRoots roots{.workspace = root};
  const EffectivePermissions some{{"Read", "Read(/etc/host*)", "Write(docs/**)", "Bash(git *)",
                                   "Bash(make:*)", "WebFetch(domain:example.com)"},
                                  {"Read(**/.env)", "Read(.env)", "Bash(git push *)"}};
  const auto file = [&](const std::string& tool, const std::string& path) {
    return ask(some, tool, {{"file_path", path}}, roots);
  };
  const auto bash = [&](const std::string& command) {
    return ask(some, "Bash", {{"command", command}}, roots);
  };
  EXPECT_EQ(file("Write", "docs/a.md"), "");
  EXPECT_EQ(file("Write", (root / "docs/sub/b.md").string()), "");
  EXPECT_EQ(file("Write", "src/a.md"), "deny");
  EXPECT_EQ(file("Write", "docs/../src/a.md"), "deny");
  EXPECT_EQ(file("Write", (root / "docs/../../x").string()), "deny");
  EXPECT_EQ(file("Edit", "docs/a.md"), "deny");
  EXPECT_EQ(file("Read", "/etc/hostname"), "");
  EXPECT_EQ(file("Read", "/etc/passwd"), "deny");
  EXPECT_EQ(file("Read", ".env"), "deny");
  EXPECT_EQ(file("Read", (root / "a/./../.env").string()), "deny");
  EXPECT_EQ(bash("git status"), "");
  EXPECT_EQ(bash("ls"), "deny");
  EXPECT_EQ(bash("git push origin"), "deny");
  EXPECT_EQ(bash("make"), "");
  EXPECT_EQ(bash("make all"), "");
  EXPECT_EQ(bash("makeshift"), "deny");
  EXPECT_EQ(ask(some, "WebFetch", {{"url", "https://example.com/a"}}, roots), "");
  EXPECT_EQ(ask(some, "WebFetch", {{"url", "https://example.com@evil.test/"}}, roots), "deny");
  EXPECT_EQ(ask(some, "WebFetch", {{"url", "https://evil.test/example.com"}}, roots), "deny");
  EXPECT_EQ(ask(some, "mcp__x__y", {}, roots), "deny");
}

TEST(Promises, S8_LinksDoNotLeadAroundTheGuard) {
  const TestWorkspace workspace;
  const fs::path& root = workspace.path();
  fs::create_directories(root / "docs");
  fs::create_directories(root / "private");
  fs::create_directory_symlink(root / "private", root / "docs/link");
  fs::create_symlink(root / "private/.env", root / "harmless.txt");
  ASSERT_TRUE(write_file(root / "private/.env", "x"));
  const EffectivePermissions some{{"Write(docs/**)", "Read"}, {"Read(private/**)"}};
  EXPECT_EQ(ask(some, "Write", {{"file_path", "docs/link/a"}}, {.workspace = root}), "deny");
  EXPECT_EQ(ask(some, "Read", {{"file_path", "harmless.txt"}}, {.workspace = root}), "deny");
  EXPECT_EQ(ask(some, "Read", {{"file_path", "docs/a"}}, {.workspace = root}), "");
}

/// A project with a workspace in it, as wave makes them.
struct Confined {
  TestWorkspace folder;
  fs::path project = fs::canonical(folder.path()) / "project";
  FileRoots roots{.workspace = project / ".agents/workspaces/r/s",
                  .project = project,
                  .hidden = {project / ".agents/state", project / ".agents/workspaces"}};
  // No Bash. Each tool bare, which names no place.
  EffectivePermissions permissions{
      {"Read", "Write", "Edit", "MultiEdit", "Glob", "Grep", "LS", "NotebookEdit", "WebFetch"}, {}};

  Confined() {
    fs::create_directories(roots.workspace / "src");
    fs::create_directories(project / ".agents/workspaces/r/other");
    fs::create_directories(project / ".agents/state");
    fs::create_directories(project / ".git/hooks");
    fs::create_directories(project / "lib");
  }
  std::string use(const std::string& tool, const json::object& input) const {
    return ask(permissions, tool, input, roots);
  }
  std::string file(const std::string& tool, const fs::path& path) const {
    return use(tool, {{"file_path", path.string()}});
  }
};

TEST(Promises, S8_FilesAreWrittenInTheWorkspaceOnly) {
  Confined agent;
  for (const char* tool : {"Write", "Edit", "MultiEdit"}) {
    EXPECT_EQ(agent.file(tool, "src/a.cc"), "") << tool;
    EXPECT_EQ(agent.file(tool, agent.roots.workspace / "new/folder/a.cc"), "") << tool;
    EXPECT_EQ(agent.file(tool, ".agents/output/plan.json"), "") << tool;
    for (const fs::path& path :
         {agent.project / ".git/hooks/pre-commit", agent.project / ".agents/pipelines/p.yaml",
          agent.project / "lib/a.cc", fs::path("../other/a.cc"), fs::path("src/../../other/a"),
          fs::path("/tmp/a"), fs::path("~/.bashrc"), fs::path(".git"), fs::path(".git/config"),
          fs::path("src/.git/hooks/x"), fs::path(".agents/agent/s.sh"),
          fs::path("/proc/self/cwd/a"), fs::path("")}) {
      EXPECT_EQ(agent.file(tool, path), path.empty() ? "" : "deny") << tool << path;
    }
  }
  EXPECT_EQ(agent.use("NotebookEdit", {{"notebook_path", "a.ipynb"}}), "");
  EXPECT_EQ(agent.use("NotebookEdit", {{"notebook_path", "/tmp/a.ipynb"}}), "deny");
  EXPECT_EQ(agent.use("NotebookEdit", {{"file_path", "a"}, {"notebook_path", "/tmp/b"}}), "deny");
  // All is allowed but Bash: still no persona with a shell.
  agent.permissions = {{"*"}, {"Bash"}};
  EXPECT_EQ(agent.file("Write", "/tmp/a"), "deny");
  agent.permissions = {{}, {"Bash"}};
  EXPECT_EQ(agent.file("Write", "/tmp/a"), "deny");
  agent.permissions = {{"Write", "Write(/tmp/out/**)", "Write(**/b)"}, {}};
  EXPECT_EQ(agent.file("Write", "/tmp/out/a"), "");
  EXPECT_EQ(agent.file("Write", "/tmp/out/../a"), "deny");
  EXPECT_EQ(agent.file("Write", "/tmp/b"), "deny") << "a pattern that names no place";
}

TEST(Promises, S8_TheCheckoutIsReadWithoutTheStateOfWave) {
  const Confined agent;
  for (const fs::path& path :
       {fs::path("src/a.cc"), agent.project / "lib/a.cc", agent.project / "wave.yaml",
        agent.roots.workspace / ".agents/artifacts/plan/spec"}) {
    EXPECT_EQ(agent.file("Read", path), "") << path;
  }
  for (const fs::path& path :
       {agent.project / ".agents/state/wave.db", agent.project / ".agents/workspaces/r/other/a",
        agent.project / ".git/config", agent.project.parent_path() / "x", fs::path("/etc/passwd"),
        fs::path("/proc/self/environ"), fs::path("~/.ssh/id_rsa")}) {
    EXPECT_EQ(agent.file("Read", path), "deny") << path;
    EXPECT_EQ(agent.use("Grep", {{"pattern", "x"}, {"path", path.string()}}), "deny") << path;
    EXPECT_EQ(agent.use("LS", {{"path", path.string()}}), "deny") << path;
  }
  EXPECT_EQ(agent.use("Grep", {{"pattern", "x"}}), "");
  EXPECT_EQ(agent.use("Glob", {{"pattern", "**/*.cc"}}), "");
  EXPECT_EQ(agent.use("Glob", {{"pattern", (agent.project / "lib/*.cc").string()}}), "");
  EXPECT_EQ(agent.use("Glob", {{"pattern", "*.cc"}, {"path", "src"}}), "");
  for (const char* pattern :
       {"/etc/*", "../other/*", "*/../../other/*", "{/etc/*,x}", "{a,/etc/*}", "~/*", "/**"}) {
    EXPECT_EQ(agent.use("Glob", {{"pattern", pattern}}), "deny") << pattern;
  }
  EXPECT_EQ(agent.use("Glob", {{"pattern", "*"}, {"path", "/etc"}}), "deny");
  EXPECT_EQ(agent.use("WebFetch", {{"url", "https://x/"}}), "");
}

TEST(Promises, S8_NoLinkLeadsOutOfTheWorkspace) {
  const Confined agent;
  const fs::path& workspace = agent.roots.workspace;
  fs::create_directory_symlink("/tmp", workspace / "out");
  fs::create_symlink(agent.project / "not-there-yet", workspace / "dangling");
  fs::create_symlink("loop", workspace / "loop");
  fs::create_directory_symlink(workspace / "src", workspace / "in");
  fs::create_symlink(agent.project / ".agents/state", agent.project / "lib/state");
  for (const char* path : {"out/a", "dangling", "loop", "out/../a"}) {
    EXPECT_EQ(agent.file("Write", path), "deny") << path;
  }
  EXPECT_EQ(agent.file("Write", "in/a"), "");
  EXPECT_EQ(agent.file("Read", agent.project / "lib/state/wave.db"), "deny");
  EXPECT_EQ(agent.use("Glob", {{"pattern", "out/*"}}), "deny");
}

TEST(Promises, S8_TheGuardFailsClosed) {
  EXPECT_FALSE(guard_answer("{}", "{}"));
  EXPECT_FALSE(guard_answer("no json", R"({"tool_name":"Read"})"));
  EXPECT_FALSE(guard_answer("{}", "[]"));
  // As Claude Code runs it: by a shell, and blocked when the program is not there.
  const auto run = [](const std::string& program, const std::string& request) {
    LaunchPlan plan;
    const TestWorkspace workspace;
    plan.argv = {"/bin/sh", "-c",
                 guard_command(program, {{"Read(it's)"}, {}}, {.workspace = "/w"})};
    plan.env = {{"PATH", "/usr/bin:/bin"}};
    plan.stdin_text = request;
    return run_plan(*find_adapter("command"), plan, workspace.path());
  };
  const std::string self = test_environment().at("WAVE_SELF");
  EXPECT_EQ(run("/nonexistent/wave", R"({"tool_name":"Read"})").exit.exit_code, 2);
  EXPECT_EQ(run(self, "garbage").exit.exit_code, 2);
  const auto allowed = run(self, R"({"tool_name":"Read","tool_input":{"file_path":"it's"}})");
  EXPECT_EQ(allowed.exit.exit_code, 0);
  EXPECT_EQ(allowed.out, "");
  const auto denied = run(self, R"({"tool_name":"Bash","tool_input":{"command":"ls"}})");
  EXPECT_EQ(denied.exit.exit_code, 0);
  EXPECT_THAT(denied.out, HasSubstr("\"deny\""));
}

TEST(Adapters, AreFoundByName) {
  for (const auto name : {"claude", "scripted", "command"}) {
    ASSERT_NE(find_adapter(name), nullptr);
    EXPECT_EQ(find_adapter(name)->info().name, name);
  }
  EXPECT_EQ(find_adapter("codex"), nullptr);
  EXPECT_TRUE(is_known_elsewhere("codex"));
  EXPECT_FALSE(is_known_elsewhere("claude"));
  EXPECT_FALSE(is_known_elsewhere("nonsense"));
}

}  // namespace
}  // namespace wave::agent
