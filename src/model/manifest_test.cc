#include "model/manifest.h"

#include "model/test_project.h"

namespace wave::model {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded<Manifest> load(const std::string& yaml, std::map<std::string, std::string> more = {}) {
  more["wave.yaml"] = yaml;
  return load_manifest(MemorySource(project_files(more)));
}

std::string problems(const std::string& yaml) {
  return all_text(load(yaml).diagnostics);
}

TEST(Manifest, TheTestProjectLoads) {
  const Loaded<Manifest> loaded = load(kTestManifest);
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  EXPECT_EQ(loaded.value.name, "demo");
  EXPECT_EQ(loaded.value.project.contract_test_command, "ctest --output");
  EXPECT_EQ(loaded.value.project.services.at("api").contract_test_command, "make api");
  EXPECT_EQ(loaded.value.adapters.at("scripted").binary, "scripted");
  EXPECT_EQ(loaded.value.personas.at("coder").system_prompt,
            "You write code for run {{ run.id }}.");
  EXPECT_EQ(loaded.value.personas.at("coder").pos.line, 14);
}

TEST(Manifest, EveryRuntimeKeyIsTyped) {
  const Loaded<Manifest> loaded = load(std::string(kTestManifest) + R"(
server: {bind: "127.0.0.1:1", max_concurrent: 2, auth: {mode: bearer, jwt_secret: x}, tls: {enabled: yes, cert: c, key: k, ca: a}}
evolution: {enabled: false, every_n_window: 3, every_n_judge_drop: 0.2, drift_window: 4, drift_pass_drop: 0.3, retry_window: 5, retry_avg_threshold: 1}
runtime:
  workspace_root: ws
  max_concurrent_workers: 2
  default_timeout_minutes: 7
  pipeline_id_hash_length: 9
  max_concurrency: 3
  stall_timeout: 90s
  unattended_limit: 30m
  max_output_size: 1024
  timeouts: {step_default_minutes: 5, gate_approval_hours: 2, process_grace_seconds: 9, git_command_seconds: 0}
  relay: {token_threshold_percent: 0, strategy: s, context_window: 5, summarizer_persona: p}
  audit: {log_dir: d, log_all_tool_calls: true, log_all_file_operations: true}
  meta_pipeline: {max_depth: 1, max_total_steps: 2, max_total_tokens: 3, timeout_minutes: 4}
  routing: {default: p, default_tier: cheapest, complexity_map: {balanced: m}}
  sandbox: {enabled: false, backend: none, docker_image: i, default_allowed_domains: [a], env_passthrough: [HOME]}
  artifacts: {max_stdout_size: 12, default_artifact_dir: da}
  circuit_breaker: {limit: 4, tracked_classes: [transient]}
  retros: {enabled: false, narrate: false, narrate_model: m}
  cost: {enabled: true, budget_ceiling: 2.5, warn_at: 1, currency: EUR}
  retention: {max_age: 7d, max_runs: 3, max_bytes: 9}
)");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  const RuntimeConfig& runtime = loaded.value.runtime;
  EXPECT_EQ(runtime.workspace_root, "ws");
  EXPECT_EQ(runtime.max_concurrent_workers, 2);
  EXPECT_EQ(runtime.default_timeout_minutes, 7);
  EXPECT_EQ(runtime.stall_timeout, Millis(90'000));
  EXPECT_EQ(runtime.unattended_limit, std::chrono::minutes(30));
  EXPECT_EQ(runtime.max_output_size, 1024U);
  EXPECT_EQ(runtime.timeouts.step_default, std::chrono::minutes(5));
  EXPECT_EQ(runtime.timeouts.gate_approval, std::chrono::hours(2));
  EXPECT_EQ(runtime.timeouts.process_grace, std::chrono::seconds(9));
  EXPECT_EQ(runtime.timeouts.git_command, std::chrono::seconds(90));  // 0 is the default
  EXPECT_EQ(runtime.relay.context_window, 5);
  EXPECT_EQ(runtime.meta_pipeline.timeout, std::chrono::minutes(4));
  EXPECT_EQ(runtime.routing.complexity_map.at("balanced"), "m");
  EXPECT_EQ(runtime.routing.complexity_map.at("cheapest"), "claude-haiku-4-5");
  EXPECT_THAT(runtime.sandbox.env_passthrough, ElementsAre("HOME"));
  EXPECT_EQ(runtime.artifacts.max_stdout_size, 12U);
  EXPECT_THAT(runtime.circuit_breaker.tracked_classes, ElementsAre("transient"));
  EXPECT_EQ(runtime.cost.budget_ceiling, 2.5);
  EXPECT_EQ(runtime.retention.max_age, std::chrono::hours(7 * 24));
  EXPECT_EQ(runtime.retention.max_bytes, 9U);
  ASSERT_TRUE(loaded.value.server);
  EXPECT_EQ(loaded.value.server->auth_mode, "bearer");
  EXPECT_TRUE(loaded.value.server->tls_enabled);
  EXPECT_EQ(loaded.value.evolution.retry_avg_threshold, 1.0);
}

TEST(Manifest, AccessIsTypedAndKnowsItsPlaces) {
  const Loaded<Manifest> loaded = load(std::string(kTestManifest) + R"(
server:
  trusted_proxies: [10.0.0.0/8]
  allowed_hosts: [wave.example]
  auth:
    mode: [jwt, mtls]
    jwt_secret: ${WAVE_JWT_SECRET}
    jwt_algorithm: HS512
    leeway: 5s
    roles: {ops: admin}
    mtls: {roles: {laptop: operator}}
  tls: {min_version: "1.3"}
)");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  const ServerConfig& server = *loaded.value.server;
  EXPECT_EQ(server.auth_mode, "jwt, mtls");
  EXPECT_THAT(server.access.modes, ElementsAre("jwt", "mtls"));
  EXPECT_EQ(server.access.leeway, Millis(5000));
  EXPECT_EQ(server.access.roles.at("ops"), "admin");
  EXPECT_EQ(server.access.mtls_roles.at("laptop"), "operator");
  EXPECT_EQ(server.access.tls_min_version, "1.3");
  EXPECT_TRUE(server.access.places.contains("server.auth.jwt_secret"));
}

TEST(Manifest, AccessWordsThatAreNoneAreRefused) {
  const Loaded<Manifest> loaded = load(std::string(kTestManifest) + R"(
server: {auth: {mode: jwtt, roles: {ops: root}, jwt_algorithm: none}}
)");
  const std::string text = all_text(loaded.diagnostics);
  EXPECT_THAT(text, ::testing::HasSubstr("did you mean \"jwt\"?"));
  EXPECT_THAT(text, ::testing::HasSubstr("\"root\" is no role"));
  EXPECT_THAT(text, ::testing::HasSubstr("jwt_algorithm"));
}

TEST(Manifest, AllProblemsAreReportedWithPlaceKeyAndHint) {
  const Loaded<Manifest> loaded = load(R"(apiVersion: v2
kind: WaveManifest
metadata: {name: demo, forge: githab}
adapter: {}
adapters:
  claude: {binary: claude, mod: headless}
personas:
  coder: {adapter: claud, system_prompt_file: nowhere.md}
  ../x: {adapter: claude, system_prompt_file: .agents/personas/coder.md}
runtime:
  max_concurrency: many
  stall_timeout: 5 minutes
  timeouts: {step_default_minutes: -1}
  cost: {enabled: maybe}
)");
  const std::vector<std::string> found = texts(loaded.diagnostics);
  EXPECT_THAT(found, Contains("1:13 error apiVersion: \"v2\" is not allowed"));
  EXPECT_THAT(found, Contains("3:31 error metadata.forge: \"githab\" is not allowed"));
  EXPECT_THAT(found, Contains("4:1 error adapter: unknown key \"adapter\""));
  EXPECT_THAT(found, Contains("6:28 error adapters.claude.mod: unknown key \"mod\""));
  EXPECT_THAT(found, Contains("8:20 error personas.coder.adapter: there is no adapter \"claud\""));
  EXPECT_THAT(found, Contains(HasSubstr("8:47 error personas.coder.system_prompt_file: the system "
                                        "prompt cannot be read: there is no file nowhere.md")));
  EXPECT_THAT(found, Contains(HasSubstr("personas.../x: \"../x\" is no safe name")));
  EXPECT_THAT(
      found,
      Contains("11:20 error runtime.max_concurrency: this has to be a whole number, not text"));
  EXPECT_THAT(found,
              Contains("12:18 error runtime.stall_timeout: \"5 minutes\" is not a duration"));
  EXPECT_THAT(found, Contains("13:36 error runtime.timeouts.step_default_minutes: -1 is negative"));
  EXPECT_THAT(found,
              Contains("14:19 error runtime.cost.enabled: this has to be true or false, not text"));
  const std::string text = all_text(loaded.diagnostics);
  EXPECT_THAT(text, HasSubstr("did you mean \"adapters\"?"));
  EXPECT_THAT(text, HasSubstr("did you mean \"mode\"?"));
  EXPECT_THAT(text, HasSubstr("did you mean \"claude\"?"));
  EXPECT_THAT(text, HasSubstr("did you mean \"github\"?"));
}

TEST(Manifest, AMissingManifestSaysWhatToDo) {
  const Loaded<Manifest> loaded = load_manifest(MemorySource({}));
  EXPECT_FALSE(loaded.ok());
  EXPECT_THAT(all_text(loaded.diagnostics), HasSubstr("wave init"));
  EXPECT_EQ(loaded.diagnostics[0].code, Code::kInvalidManifest);
}

TEST(Manifest, NumbersAreTakenAsTextWhereTextIsWanted) {
  const Loaded<Manifest> loaded = load("metadata: {name: 12, description: true}\n");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  EXPECT_EQ(loaded.value.name, "12");
  EXPECT_EQ(loaded.value.description, "true");
}

TEST(Manifest, HooksHaveTheirDefaults) {
  const Loaded<Manifest> loaded = load(R"(metadata: {name: x}
hooks:
  - {name: a, event: run_start, type: command, command: "true"}
  - {name: b, event: step_failed, type: script, script: "x", matcher: "^a.*$", timeout: 5s}
  - {name: c, event: step_completed, type: command, command: x, blocking: false, fail_open: true}
)");
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  const std::vector<Hook>& hooks = loaded.value.hooks;
  ASSERT_EQ(hooks.size(), 3U);
  EXPECT_TRUE(hooks[0].blocking);
  EXPECT_FALSE(hooks[0].fail_open);
  EXPECT_EQ(hooks[0].timeout, std::chrono::seconds(30));
  EXPECT_EQ(hooks[1].command, "x");
  EXPECT_FALSE(hooks[1].blocking);
  EXPECT_EQ(hooks[1].timeout, std::chrono::seconds(5));
  EXPECT_FALSE(hooks[2].blocking);
  EXPECT_TRUE(hooks[2].fail_open);
  EXPECT_EQ(hooks[2].pos.line, 5);
}

TEST(Manifest, HooksThatCannotBeMeant) {
  const std::string text = problems(R"(metadata: {name: x}
hooks:
  - {name: a, event: run_begin, type: command, command: x}
  - {name: a, event: run_start, type: command}
  - {name: b, event: run_start, type: command, command: x, matcher: "("}
  - {event: run_start, type: command, command: x}
  - {name: d, event: run_start, type: http, url: "http://x"}
)");
  EXPECT_THAT(text, HasSubstr("\"run_begin\" is not allowed"));
  EXPECT_THAT(text, HasSubstr("there are two hooks \"a\""));
  EXPECT_THAT(text, HasSubstr("needs \"command\""));
  EXPECT_THAT(text, HasSubstr("no regular expression"));
  EXPECT_THAT(text, HasSubstr("hooks[3]: the key \"name\" is missing"));
  EXPECT_THAT(text, HasSubstr("unsupported: hooks[4].type: \"http\""));
}

TEST(Manifest, PersonasMayBeFiles) {
  const Loaded<Manifest> loaded =
      load(kTestManifest,
           {{".agents/personas/helper.md", "You help."},
            {".agents/personas/helper.yaml",
             "description: helps\ntemperature: 0.5\npermissions: {allowed_tools: [Read]}\n"},
            {".agents/personas/plain.md", "Plain."},
            {".agents/personas/base-protocol.md", "Run {{ run.id }}."}});
  EXPECT_EQ(all_text(loaded.diagnostics), "");
  const Persona& helper = loaded.value.personas.at("helper");
  EXPECT_EQ(helper.system_prompt, "You help.");
  EXPECT_EQ(helper.adapter, "claude");
  EXPECT_EQ(helper.temperature, 0.5);
  EXPECT_THAT(helper.permissions.allowed_tools, ElementsAre("Read"));
  EXPECT_EQ(loaded.value.personas.at("plain").system_prompt_file, ".agents/personas/plain.md");
  EXPECT_EQ(loaded.value.base_protocol, "Run {{ run.id }}.");
  EXPECT_FALSE(loaded.value.personas.contains("base-protocol"));
}

TEST(Manifest, PersonaFilesAreChecked) {
  const std::string text =
      all_text(load(kTestManifest, {{".agents/personas/helper.md", "Line\n{{ forge.typ }}"},
                                    {".agents/personas/helper.yaml", "temperatur: 1\n"}})
                   .diagnostics);
  EXPECT_THAT(text, HasSubstr(".agents/personas/helper.yaml:1:1: error: temperatur: unknown key"));
  EXPECT_THAT(text, HasSubstr(".agents/personas/helper.md:2:1: error: unknown variable"));
}

TEST(Manifest, WhatIsNotCarriedOutIsSaid) {
  const std::string text = problems(R"(metadata: {name: x}
skills: [a]
adapters: {codex: {mode: interactive}}
personas:
  p: {adapter: codex, system_prompt_file: .agents/personas/coder.md, skills: [s], token_scopes: ["issues:read"], hooks: {PreToolUse: [{matcher: Bash, command: x}]}}
runtime: {sandbox: {enabled: true}, routing: {auto_route: true}, relay: {token_threshold_percent: 80}, fallbacks: {a: [b]}}
)");
  for (const char* expected :
       {"unsupported: skills:", "unsupported: adapters.codex.mode:",
        "unsupported: personas.p.adapter:", "unsupported: personas.p.skills:",
        "unsupported: personas.p.token_scopes:", "unsupported: personas.p.hooks:",
        "unsupported: runtime.sandbox:", "warning: runtime.routing.auto_route:",
        "warning: runtime.relay.token_threshold_percent:", "warning: runtime.fallbacks:"}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(text, testing::Not(HasSubstr("error:")));
}

TEST(Manifest, UnsupportedPersonasMatterOnlyToTheirUsers) {
  const std::map<std::string, std::string> files = {
      {"wave.yaml", std::string(kTestManifest) +
                        "  other: {adapter: codex, system_prompt_file: .agents/personas/coder.md, "
                        "token_scopes: [\"issues:read\"]}\n"}};
  EXPECT_THAT(load_steps("  - {id: a, persona: coder, exec: {source: x}}\n", files).diagnostics,
              IsEmpty());
  EXPECT_TRUE(has_unsupported(
      load_steps("  - {id: a, persona: other, exec: {source: x}}\n", files).diagnostics));
}

TEST(Manifest, AnEmptyListOfToolsIsWarnedOf) {
  EXPECT_THAT(
      problems(
          "metadata: {name: x}\nadapters: {claude: {default_permissions: {allowed_tools: []}}}\n"),
      HasSubstr("warning: adapters.claude.default_permissions.allowed_tools"));
}

TEST(Manifest, ProjectValues) {
  const Manifest manifest = load(kTestManifest).value;
  const auto value = [&](std::vector<std::string> path) {
    return project_value(manifest, {Variable::kProject, std::move(path), "", "", {}});
  };
  EXPECT_EQ(value({"language"}), "cpp");
  EXPECT_EQ(value({"skill"}), "");
  EXPECT_EQ(value({"services", "api", "path"}), "api");
  EXPECT_EQ(value({"services", "none", "path"}), "");
}

}  // namespace
}  // namespace wave::model
