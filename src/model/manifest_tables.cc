#include "model/manifest_tables.h"

#include <re2/re2.h>

#include <set>

#include "model/access_tables.h"
#include "model/webhook_tables.h"

namespace wave::model {
namespace {

// A duration written as a whole number of `Unit`; 0 keeps the default.
template <typename Unit, typename T>
Key<T> counted(std::string_view name, Millis T::* member, std::string_view fallback,
               std::string_view meaning) {
  return custom<T>(name, "whole number", meaning,
                   [member](T& value, Binder& binder, const yaml::Node& node) {
                     int number = 0;
                     if (binder.read(node, number) && number > 0) {
                       value.*member = Millis(Unit(number));
                     }
                   })
      .fallback(fallback);
}

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const KeyTable<Manifest>& metadata_keys() {
  static const KeyTable<Manifest> table(
      "metadata", "Who the project is.",
      {
          key("name", &Manifest::name, "name of the project"),
          key("description", &Manifest::description, "one line about the project").parsed_only(),
          key("repo", &Manifest::repo, "address of its repository").parsed_only(),
          key("forge", &Manifest::forge,
              "where the project is hosted; wins over what the git remotes say")
              .one_of({"github", "gitlab", "gitea", "forgejo", "codeberg", "bitbucket", "local",
                       "none"}),
      });
  return table;
}

const KeyTable<Service>& service_keys() {
  static const KeyTable<Service> table(
      "service",
      "One part of a project with several, `project.services.<name>`. Each key is a "
      "template variable `{{ project.services.<name>.<key> }}`.",
      {
          key("path", &Service::path, "folder of the service"),
          key("language", &Service::language, "its language"),
          key("build_command", &Service::build_command, "command that builds it"),
          key("test_command", &Service::test_command, "command that tests it"),
          key("contract_test_command", &Service::contract_test_command,
              "command that contracts run")
              .fallback("test_command"),
          key("source_glob", &Service::source_glob, "its source files"),
      });
  return table;
}

const KeyTable<ProjectConfig>& project_keys() {
  static const KeyTable<ProjectConfig> table(
      "project",
      "Facts about the code base. Each is a template variable `{{ project.<key> }}`; one "
      "that is not set is empty.",
      {
          key("language", &ProjectConfig::language, "main language"),
          key("flavour", &ProjectConfig::flavour, "build system or variant of the language"),
          key("test_command", &ProjectConfig::test_command, "command that runs the tests"),
          key("lint_command", &ProjectConfig::lint_command, "command that lints"),
          key("build_command", &ProjectConfig::build_command, "command that builds"),
          key("format_command", &ProjectConfig::format_command, "command that formats"),
          key("source_glob", &ProjectConfig::source_glob, "source files"),
          key("skill", &ProjectConfig::skill, "name of the language's skill"),
          key("contract_test_command", &ProjectConfig::contract_test_command,
              "command that contracts run")
              .fallback("test_command"),
          key("test_file_pattern", &ProjectConfig::test_file_pattern, "globs of test files")
              .parsed_only(),
          key("test_func_pattern", &ProjectConfig::test_func_pattern,
              "regular expression of a test's declaration")
              .parsed_only(),
          named<service_keys>("services", &ProjectConfig::services, "parts of the project"),
      });
  return table;
}

const KeyTable<std::map<std::string, std::string>>& tier_keys() {
  using Tiers = std::map<std::string, std::string>;
  const auto tier = [](std::string_view name, std::string_view fallback, std::string_view meaning) {
    return custom<Tiers>(name, "text", meaning,
                         [name](Tiers& tiers, Binder& binder, const yaml::Node& node) {
                           binder.read(node, tiers[std::string(name)]);
                         })
        .fallback(fallback);
  };
  static const KeyTable<Tiers> table("model tiers", "Model ids that the tiers stand for.",
                                     {
                                         tier("cheapest", "claude-haiku-4-5", "the smallest model"),
                                         tier("balanced", "", "the model for most work"),
                                         tier("strongest", "claude-opus-4", "the largest model"),
                                     });
  return table;
}

const KeyTable<AdapterConfig>& adapter_keys() {
  static const KeyTable<AdapterConfig> table(
      "adapter",
      "A program that runs an agent, `adapters.<name>`. This version has the adapters `claude` and "
      "`scripted`.",
      {
          key("binary", &AdapterConfig::binary, "program to run").fallback("the adapter's name"),
          key("mode", &AdapterConfig::mode, "how it is run")
              .fallback("headless")
              .one_of({"headless", "interactive"})
              .not_yet({"interactive"}),
          key("default_model", &AdapterConfig::default_model,
              "model where neither step nor persona names one"),
          key("output_format", &AdapterConfig::output_format,
              "legacy; the adapter knows its format")
              .parsed_only(),
          key("project_files", &AdapterConfig::project_files, "legacy").parsed_only(),
          object<permission_keys>("default_permissions", &AdapterConfig::default_permissions,
                                  "what its agents may do where the persona says nothing"),
          key("hooks_template", &AdapterConfig::hooks_template, "legacy").parsed_only(),
          object<tier_keys>("tier_models", &AdapterConfig::tier_models,
                            "its models of the tiers; wins over `runtime.routing.complexity_map`"),
      });
  return table;
}

const KeyTable<ToolHook>& tool_hook_keys() {
  static const KeyTable<ToolHook> table("tool hook", "A command around an agent's tool calls.",
                                        {
                                            key("matcher", &ToolHook::matcher, "tool pattern"),
                                            key("command", &ToolHook::command, "command to run"),
                                        });
  return table;
}

using ToolHooks = std::map<std::string, std::vector<ToolHook>>;

Key<ToolHooks> tool_hooks(std::string_view name, std::string_view meaning) {
  return {{.name = name,
           .type = "list of mappings",
           .meaning = meaning,
           .nested = +[]() -> const TableDoc& { return tool_hook_keys().doc(); }},
          [name](ToolHooks& hooks, Binder& binder, const yaml::Node& node) {
            if (!node.is_sequence()) return binder.mismatch(node, "a list");
            for (size_t i = 0; i < node.items.size(); ++i) {
              const Binder::Part part(binder, i);
              tool_hook_keys().read(hooks[std::string(name)].emplace_back(), binder, node.items[i]);
            }
          }};
}

const KeyTable<ToolHooks>& persona_hook_keys() {
  static const KeyTable<ToolHooks> table("persona hooks",
                                         "Commands that the agent program runs around tool calls.",
                                         {tool_hooks("PreToolUse", "before a tool call"),
                                          tool_hooks("PostToolUse", "after a tool call")});
  return table;
}

const KeyTable<Persona>& persona_sandbox_keys() {
  static const KeyTable<Persona> table("persona sandbox",
                                       "Limits that hold when `runtime.sandbox` is on.",
                                       {key("allowed_domains", &Persona::sandbox_allowed_domains,
                                            "network domains the agent may reach")
                                            .parsed_only()});
  return table;
}

std::vector<Key<Persona>> persona_key_list(bool in_manifest) {
  Key<Persona> adapter = key("adapter", &Persona::adapter, "adapter that runs it");
  adapter.doc.required = in_manifest;
  if (!in_manifest) adapter.doc.fallback = "claude, or the only adapter there is";
  std::vector<Key<Persona>> keys;
  keys.push_back(std::move(adapter));
  keys.push_back(key("description", &Persona::description, "one line about it"));
  keys.push_back(key("system_prompt_file", &Persona::system_prompt_file,
                     "file with its system prompt, relative to the project")
                     .fallback(".agents/personas/<name>.md"));
  keys.push_back(
      key("temperature", &Persona::temperature, "recorded; the agent programs take no temperature")
          .parsed_only());
  keys.push_back(key("model", &Persona::model, "model id or tier: cheapest, balanced, strongest"));
  keys.push_back(object<permission_keys>("permissions", &Persona::permissions,
                                         "what it may do; replaces the adapter's list"));
  keys.push_back(object<persona_hook_keys>("hooks", &Persona::hooks, "commands around tool calls")
                     .unsupported("remove it, or use `hooks` of the manifest"));
  keys.push_back(
      section<persona_sandbox_keys, Persona>("sandbox", "limits when the sandbox is on"));
  keys.push_back(key("skills", &Persona::skills, "skills it needs")
                     .unsupported("put what the skill says into the system prompt"));
  keys.push_back(key("token_scopes", &Persona::token_scopes,
                     "forge permissions its token needs: `<resource>:<read|write|admin>[@ENV]`")
                     .unsupported("remove it; the token's scopes are not checked"));
  return keys;
}

const KeyTable<Timeouts>& timeout_keys() {
  using T = Timeouts;
  static const KeyTable<T> table(
      "runtime.timeouts", "Whole numbers in the unit of their name; 0 is the default.",
      {
          counted<minutes>("step_default_minutes", &T::step_default, "30",
                           "longest time of a step that says nothing itself"),
          counted<minutes>("relay_compaction_minutes", &T::relay_compaction, "15",
                           "longest time of a compaction")
              .parsed_only(),
          counted<minutes>("meta_default_minutes", &T::meta_default, "60",
                           "longest time of a generated pipeline")
              .parsed_only(),
          counted<hours>("gate_approval_hours", &T::gate_approval, "24",
                         "how long an approval gate waits that says nothing itself"),
          counted<seconds>("skill_install_seconds", &T::skill_install, "300", "installing a skill")
              .parsed_only(),
          counted<seconds>("skill_cli_seconds", &T::skill_cli, "300", "a skill's own program")
              .parsed_only(),
          counted<seconds>("skill_http_seconds", &T::skill_http, "300", "fetching a skill")
              .parsed_only(),
          counted<seconds>("skill_http_header_seconds", &T::skill_http_header, "60",
                           "the first answer when fetching a skill")
              .parsed_only(),
          counted<seconds>("skill_publish_seconds", &T::skill_publish, "60", "publishing a skill")
              .parsed_only(),
          counted<seconds>("process_grace_seconds", &T::process_grace, "3",
                           "time between SIGTERM and SIGKILL"),
          counted<seconds>("stdout_drain_seconds", &T::stdout_drain, "1",
                           "how long output is read on after a process ended"),
          counted<seconds>("gate_poll_interval_seconds", &T::gate_poll_interval, "30",
                           "time between two looks of a polling gate")
              .parsed_only(),
          counted<minutes>("gate_poll_timeout_minutes", &T::gate_poll_timeout, "60",
                           "longest time of a polling gate")
              .parsed_only(),
          counted<seconds>("git_command_seconds", &T::git_command, "90", "one git command"),
          counted<seconds>("forge_api_seconds", &T::forge_api, "60", "one request to the forge")
              .parsed_only(),
          counted<seconds>("retry_max_delay_seconds", &T::retry_max_delay, "60",
                           "longest wait before a retry that says nothing itself"),
      });
  return table;
}

const KeyTable<RelayConfig>& relay_keys() {
  static const KeyTable<RelayConfig> table(
      "runtime.relay", "When a step's conversation is summarised. Not carried out yet.",
      {
          key("token_threshold_percent", &RelayConfig::token_threshold_percent,
              "share of the context window that triggers it; 0 is off")
              .fallback("0")
              .parsed_only(),
          key("strategy", &RelayConfig::strategy, "legacy").parsed_only(),
          key("context_window", &RelayConfig::context_window, "tokens of the model's window")
              .fallback("200000")
              .parsed_only(),
          key("summarizer_persona", &RelayConfig::summarizer_persona, "persona that summarises")
              .fallback("summarizer")
              .parsed_only(),
      });
  return table;
}

const KeyTable<AuditConfig>& audit_keys() {
  static const KeyTable<AuditConfig> table(
      "runtime.audit", "Audit files of the original; the event log of a run has all of this.",
      {
          key("log_dir", &AuditConfig::log_dir, "folder").fallback(".agents/traces").parsed_only(),
          key("log_all_tool_calls", &AuditConfig::log_all_tool_calls, "log tool calls")
              .fallback("false")
              .parsed_only(),
          key("log_all_file_operations", &AuditConfig::log_all_file_operations, "legacy")
              .fallback("false")
              .parsed_only(),
      });
  return table;
}

const KeyTable<MetaPipelineConfig>& meta_keys() {
  using T = MetaPipelineConfig;
  static const KeyTable<T> table(
      "runtime.meta_pipeline", "Bounds of pipelines that an agent writes. Not carried out yet.",
      {
          key("max_depth", &T::max_depth, "nesting").fallback("3").parsed_only(),
          key("max_total_steps", &T::max_total_steps, "steps in all").fallback("20").parsed_only(),
          key("max_total_tokens", &T::max_total_tokens, "tokens in all")
              .fallback("500000")
              .parsed_only(),
          counted<minutes>("timeout_minutes", &T::timeout, "60", "time in all").parsed_only(),
      });
  return table;
}

const KeyTable<RoutingRule>& routing_rule_keys() {
  using T = RoutingRule;
  static const KeyTable<T> table(
      "routing rule", "Which pipeline an input goes to. Not carried out yet.",
      {
          key("pattern", &T::pattern, "glob of the input").parsed_only(),
          key("pipeline", &T::pipeline, "pipeline to run").parsed_only(),
          key("priority", &T::priority, "higher wins").fallback("0").parsed_only(),
          key("match_labels", &T::match_labels, "labels that have to match").parsed_only(),
      });
  return table;
}

const KeyTable<RoutingConfig>& routing_keys() {
  using T = RoutingConfig;
  static const KeyTable<T> table(
      "runtime.routing", "How inputs find pipelines and steps find models.",
      {
          key("default", &T::default_pipeline, "pipeline when no rule matches").parsed_only(),
          list<routing_rule_keys>("rules", &T::rules, "rules").parsed_only(),
          key("default_tier", &T::default_tier, "legacy").parsed_only(),
          key("auto_route", &T::auto_route,
              "choose a tier by the persona's name; not carried out yet")
              .fallback("false")
              .parsed_only(),
          object<tier_keys>("complexity_map", &T::complexity_map,
                            "models of the tiers for every adapter"),
      });
  return table;
}

struct SandboxDraft {
  SandboxConfig config;
  std::optional<bool> enabled;
  std::optional<std::string> backend;
};

const KeyTable<SandboxDraft>& sandbox_keys() {
  using T = SandboxDraft;
  const auto in_config = [](Key<SandboxConfig> inner) {
    return within(&SandboxDraft::config, std::move(inner));
  };
  static const KeyTable<T> table(
      "runtime.sandbox", "Isolation of agents. Only `none` is carried out.",
      {
          key("enabled", &T::enabled, "true alone means bubblewrap").fallback("false"),
          key("backend", &T::backend, "how agents are isolated; wins over `enabled`")
              .fallback("none")
              .one_of({"none", "bubblewrap", "docker"})
              .not_yet({"bubblewrap", "docker"}),
          in_config(key("docker_image", &SandboxConfig::docker_image, "image for docker"))
              .fallback("ubuntu:24.04")
              .parsed_only(),
          in_config(key("default_allowed_domains", &SandboxConfig::default_allowed_domains,
                        "network domains agents may reach when the sandbox is on"))
              .parsed_only(),
          in_config(key("env_passthrough", &SandboxConfig::env_passthrough,
                        "environment variables that agents and commands get")),
      });
  return table;
}

const KeyTable<ArtifactsConfig>& artifacts_keys() {
  using T = ArtifactsConfig;
  static const KeyTable<T> table(
      "runtime.artifacts", "Artifacts taken from a step's output.",
      {
          key("max_stdout_size", &T::max_stdout_size, "largest stdout artifact, in bytes")
              .fallback("10485760"),
          key("default_artifact_dir", &T::default_artifact_dir,
              "folder of stdout artifacts in the workspace")
              .fallback(".agents/artifacts"),
      });
  return table;
}

const KeyTable<CircuitBreakerConfig>& circuit_breaker_keys() {
  using T = CircuitBreakerConfig;
  static const KeyTable<T> table(
      "runtime.circuit_breaker", "When the same failure again and again ends the retries.",
      {
          key("limit", &T::limit, "equal failures").fallback("3"),
          custom<T>("tracked_classes", "list of text", "failure classes that count",
                    [](T& value, Binder& binder, const yaml::Node& node) {
                      static const std::set<std::string, std::less<>> kClasses = {
                          "canceled",         "transient",    "budget_exhausted",
                          "contract_failure", "test_failure", "deterministic"};
                      if (!binder.read(node, value.tracked_classes)) return;
                      for (size_t i = 0; i < node.items.size(); ++i) {
                        const yaml::Node& item = node.items[i];
                        if (!item.is_scalar() || kClasses.contains(item.text)) continue;
                        const Binder::Part part(binder, i);
                        binder.error(item, fmt::format("\"{}\" is no failure class", item.text),
                                     "allowed are canceled, transient, budget_exhausted, "
                                     "contract_failure, test_failure, deterministic");
                      }
                    })
              .fallback("[deterministic, contract_failure, test_failure]"),
      });
  return table;
}

const KeyTable<RetrosConfig>& retros_keys() {
  using T = RetrosConfig;
  static const KeyTable<T> table(
      "runtime.retros", "Retrospectives of runs. Not carried out yet.",
      {
          key("enabled", &T::enabled, "write them").fallback("true").parsed_only(),
          key("narrate", &T::narrate, "let a model tell the story").fallback("true").parsed_only(),
          key("narrate_model", &T::narrate_model, "model for that")
              .fallback("cheapest")
              .parsed_only(),
      });
  return table;
}

const KeyTable<CostConfig>& cost_keys() {
  using T = CostConfig;
  static const KeyTable<T> table(
      "runtime.cost", "What runs may cost.",
      {
          key("enabled", &T::enabled, "keep the ledger without a ceiling").fallback("false"),
          key("budget_ceiling", &T::budget_ceiling, "US dollars a run may cost; 0 is no ceiling")
              .fallback("0"),
          key("warn_at", &T::warn_at, "US dollars at which a warning is given").fallback("0"),
          key("currency", &T::currency, "for display only").fallback("USD").parsed_only(),
      });
  return table;
}

const KeyTable<RetentionConfig>& retention_keys() {
  using T = RetentionConfig;
  static const KeyTable<T> table(
      "runtime.retention", "What is kept of runs that ended. wave's own.",
      {
          key("max_age", &T::max_age, "how long, such as 30d").fallback("no bound"),
          key("max_runs", &T::max_runs, "how many").fallback("no bound"),
          key("max_bytes", &T::max_bytes, "how many bytes").fallback("no bound"),
      });
  return table;
}

void read_sandbox(RuntimeConfig& runtime, Binder& binder, const yaml::Node& node) {
  SandboxDraft draft;
  sandbox_keys().read(draft, binder, node);
  runtime.sandbox = std::move(draft.config);
  if (draft.backend) {
    runtime.sandbox.backend = *draft.backend;
  } else if (draft.enabled.value_or(false)) {
    runtime.sandbox.backend = "bubblewrap";
    binder.add(Severity::kUnsupported, node, "a sandbox is not carried out by this version",
               "remove it, or run wave itself in a container");
  }
}

Key<RuntimeConfig> sandbox_key() {
  Key<RuntimeConfig> made =
      custom<RuntimeConfig>("sandbox", "mapping", "isolation of agents", read_sandbox);
  made.doc.nested = +[]() -> const TableDoc& { return sandbox_keys().doc(); };
  return made;
}

const KeyTable<RuntimeConfig>& runtime_keys() {
  using T = RuntimeConfig;
  static const KeyTable<T> table(
      "runtime", "How runs are carried out.",
      {
          key("workspace_root", &T::workspace_root, "folder of the runs' workspaces")
              .fallback(".agents/workspaces"),
          key("max_concurrent_workers", &T::max_concurrent_workers,
              "runs in the background at a time")
              .fallback("5"),
          key("default_timeout_minutes", &T::default_timeout_minutes,
              "longest time of a step; when set, wins over `timeouts.step_default_minutes`")
              .fallback("0"),
          key("pipeline_id_hash_length", &T::pipeline_id_hash_length, "legacy")
              .fallback("8")
              .parsed_only(),
          key("max_concurrency", &T::max_concurrency,
              "steps of a run at a time, and the cap of a step's `concurrency`")
              .fallback("10"),
          key("stall_timeout", &T::stall_timeout,
              "longest time an agent may show no activity or no progress; off when not set")
              .fallback("off"),
          key("unattended_limit", &T::unattended_limit,
              "longest time agents go on while no wave process owns their run. wave's own")
              .fallback("2h"),
          key("max_output_size", &T::max_output_size,
              "most bytes kept of one process's output. wave's own")
              .fallback("1073741824"),
          key("fallbacks", &T::fallbacks, "adapters to fall back to; not carried out yet")
              .parsed_only(),
          object<timeout_keys>("timeouts", &T::timeouts, "deadlines"),
          object<relay_keys>("relay", &T::relay, "compaction of conversations"),
          object<audit_keys>("audit", &T::audit, "audit files"),
          object<meta_keys>("meta_pipeline", &T::meta_pipeline, "generated pipelines"),
          object<routing_keys>("routing", &T::routing, "inputs to pipelines, steps to models"),
          sandbox_key(),
          object<artifacts_keys>("artifacts", &T::artifacts, "artifacts from output"),
          object<circuit_breaker_keys>("circuit_breaker", &T::circuit_breaker, "equal failures"),
          object<retros_keys>("retros", &T::retros, "retrospectives"),
          object<cost_keys>("cost", &T::cost, "budget"),
          object<retention_keys>("retention", &T::retention, "what is kept. wave's own"),
      });
  return table;
}

const KeyTable<ServerConfig>& server_keys() {
  using T = ServerConfig;
  static const KeyTable<T> table(
      "server", "Settings of `wave serve`. Runs from the command line do not need them.",
      {
          key("bind", &T::bind, "address to listen on, host[:port]").fallback("127.0.0.1:8080"),
          key("base_path", &T::base_path,
              "path below which a proxy shows the server, such as `/wave`"),
          key("max_concurrent", &T::max_concurrent, "runs at a time").fallback("5"),
          section<auth_keys, T>("auth", "authentication"),
          section<tls_keys, T>("tls", "encryption"),
          trusted_proxies_key(),
          allowed_hosts_key(),
          allowed_origins_key(),
          key("metrics", &T::metrics, "who may read /metrics: callers with the role viewer, or all")
              .fallback("viewer")
              .one_of({"viewer", "open"}),
          list<webhook_keys>("webhooks", &T::webhooks, "what may start runs from outside"),
      });
  return table;
}

const KeyTable<EvolutionConfig>& evolution_keys() {
  using T = EvolutionConfig;
  static const KeyTable<T> table(
      "evolution", "When a new version of a pipeline is suggested. Not carried out yet.",
      {
          key("enabled", &T::enabled, "switch").fallback("true").parsed_only(),
          key("every_n_window", &T::every_n_window, "runs per half window")
              .fallback("10")
              .parsed_only(),
          key("every_n_judge_drop", &T::every_n_judge_drop, "drop of the median score")
              .fallback("0.1")
              .parsed_only(),
          key("drift_window", &T::drift_window, "runs compared").fallback("20").parsed_only(),
          key("drift_pass_drop", &T::drift_pass_drop, "drop of the pass rate")
              .fallback("0.15")
              .parsed_only(),
          key("retry_window", &T::retry_window, "runs averaged").fallback("10").parsed_only(),
          key("retry_avg_threshold", &T::retry_avg_threshold, "average number of retries")
              .fallback("2.0")
              .parsed_only(),
      });
  return table;
}

// A key of the manifest within its draft.
Key<ManifestDraft> in_manifest(Key<Manifest> inner) {
  return within(&ManifestDraft::manifest, std::move(inner));
}

Key<HookDraft> in_hook(Key<Hook> inner) {
  return within(&HookDraft::hook, std::move(inner));
}

void finish_hook(HookDraft& draft, Binder& binder) {
  Hook& hook = draft.hook;
  using enum Hook::Event;
  const bool asks_a_service = hook.type == Hook::Type::kHttp || hook.type == Hook::Type::kLlmJudge;
  hook.pos = draft.pos;
  hook.blocking = draft.blocking.value_or(hook.event == kRunStart || hook.event == kStepStart ||
                                          hook.event == kStepCompleted);
  hook.fail_open = draft.fail_open.value_or(asks_a_service);
  const Millis usual = hook.type == Hook::Type::kHttp       ? Millis(10'000)
                       : hook.type == Hook::Type::kLlmJudge ? Millis(60'000)
                                                            : Millis(30'000);
  hook.timeout = draft.timeout.value_or(usual);
  const auto complain = [&](std::string message, std::string hint) {
    binder.diagnostics().push_back({Severity::kError, binder.code(), draft.pos, binder.path(),
                                    std::move(message), std::move(hint)});
  };
  const auto need = [&](std::string_view type, std::string_view name, const std::string& value) {
    if (!value.empty()) return;
    complain(fmt::format("a hook of type {} needs \"{}\"", type, name), "");
  };
  switch (hook.type) {
    case Hook::Type::kCommand:
      need("command", "command", hook.command);
      break;
    case Hook::Type::kScript:
      need("script", "script", draft.script);
      hook.command = draft.script;
      break;
    case Hook::Type::kHttp:
      need("http", "url", hook.url);
      break;
    case Hook::Type::kLlmJudge:
      need("llm_judge", "prompt", hook.prompt);
      break;
  }
  if (hook.matcher.empty()) return;
  const re2::RE2 pattern(hook.matcher, re2::RE2::Quiet);
  if (!pattern.ok()) {
    complain(fmt::format("the matcher is no regular expression: {}", pattern.error()),
             "it is matched against step ids (RE2 syntax)");
  }
}

}  // namespace

const KeyTable<Permissions>& permission_keys() {
  using T = Permissions;
  static const KeyTable<T> table(
      "permissions",
      "Tools by name: `Tool`, `Tool(argument glob)`, `*`. A step's list narrows its persona's, a "
      "persona's list replaces its adapter's; what is denied anywhere is denied.",
      {
          custom<T>("allowed_tools", "list of text",
                    "what may be used; an empty list allows nothing",
                    [](T& value, Binder& binder, const yaml::Node& node) {
                      value.allowed_given = binder.read(node, value.allowed_tools);
                      if (!value.allowed_given || !value.allowed_tools.empty()) return;
                      binder.add(Severity::kWarning, node, "an empty list allows no tool at all",
                                 "write [\"*\"] for all tools, or remove the key");
                    })
              .fallback("the adapter's list, else everything"),
          key("deny", &T::deny, "what may not be used; wins over what is allowed").fallback("[]"),
      });
  return table;
}

const KeyTable<Persona>& persona_keys() {
  static const KeyTable<Persona> table("persona", "A role an agent can play, `personas.<name>`.",
                                       persona_key_list(true));
  return table;
}

const KeyTable<Persona>& persona_file_keys() {
  static const KeyTable<Persona> table(
      "persona file",
      "A persona may also be two files: `.agents/personas/<name>.md` with its system prompt and, "
      "if "
      "needed, `.agents/personas/<name>.yaml` with these keys. One in the manifest wins.",
      persona_key_list(false));
  return table;
}

const KeyTable<HookDraft>& hook_keys() {
  using T = HookDraft;
  using enum Hook::Event;
  static const KeyTable<T> table(
      "hook",
      "Something to run when something happens, in the manifest (first) or a pipeline. Commands "
      "get WAVE_HOOK_EVENT, WAVE_HOOK_PIPELINE, WAVE_HOOK_STEP_ID, WAVE_HOOK_WORKSPACE and "
      "WAVE_RUN_ID; exit code 0 goes on, 2 blocks, another blocks unless `fail_open`.",
      {
          in_hook(key("name", &Hook::name, "its name, once in the list")).required(),
          in_hook(choice("event", &Hook::event,
                         std::initializer_list<std::pair<std::string_view, Hook::Event>>{
                             {"run_start", kRunStart},
                             {"run_completed", kRunCompleted},
                             {"run_failed", kRunFailed},
                             {"step_start", kStepStart},
                             {"step_completed", kStepCompleted},
                             {"step_failed", kStepFailed},
                             {"step_retrying", kStepRetrying},
                             {"contract_validated", kContractValidated},
                             {"artifact_created", kArtifactCreated},
                             {"workspace_created", kWorkspaceCreated}},
                         "when it runs"))
              .required(),
          in_hook(choice("type", &Hook::type,
                         std::initializer_list<std::pair<std::string_view, Hook::Type>>{
                             {"command", Hook::Type::kCommand},
                             {"script", Hook::Type::kScript},
                             {"http", Hook::Type::kHttp},
                             {"llm_judge", Hook::Type::kLlmJudge}},
                         "what runs")
                      .not_yet({"http", "llm_judge"}))
              .required(),
          in_hook(key("command", &Hook::command, "shell line of type command")),
          key("script", &T::script, "shell script of type script"),
          in_hook(key("url", &Hook::url, "address of type http")),
          in_hook(key("prompt", &Hook::prompt, "question of type llm_judge")),
          in_hook(key("model", &Hook::model, "model of type llm_judge")),
          in_hook(key("matcher", &Hook::matcher, "regular expression of step ids"))
              .fallback("all steps"),
          key("blocking", &T::blocking, "whether its failure stops what happens")
              .fallback("true for run_start, step_start and step_completed"),
          key("fail_open", &T::fail_open, "whether an error of the hook itself is ignored")
              .fallback("true for http and llm_judge"),
          key("timeout", &T::timeout, "longest time").fallback("30s; http 10s; llm_judge 60s"),
      });
  return table;
}

std::vector<Hook> finish_hooks(std::vector<HookDraft> drafts, Binder& binder) {
  std::vector<Hook> hooks;
  std::set<std::string> names;
  const Binder::Part list(binder, "hooks");
  for (size_t i = 0; i < drafts.size(); ++i) {
    const Binder::Part part(binder, i);
    finish_hook(drafts[i], binder);
    if (!drafts[i].hook.name.empty() && !names.insert(drafts[i].hook.name).second) {
      binder.diagnostics().push_back(
          {Severity::kError, binder.code(), drafts[i].pos, binder.path() + ".name",
           fmt::format("there are two hooks \"{}\"", drafts[i].hook.name), "rename one of them"});
    }
    hooks.push_back(std::move(drafts[i].hook));
  }
  return hooks;
}

const KeyTable<ManifestDraft>& manifest_keys() {
  static const KeyTable<ManifestDraft> table(
      "wave.yaml", "The manifest of a project.",
      {
          in_manifest(key("apiVersion", &Manifest::api_version, "version of this format"))
              .fallback("v1")
              .one_of({"v1"}),
          in_manifest(key("kind", &Manifest::kind, "what the file is"))
              .fallback("WaveManifest")
              .one_of({"WaveManifest", "Wave"}),
          in_manifest(section<metadata_keys, Manifest>("metadata", "who the project is")),
          in_manifest(object<project_keys>("project", &Manifest::project, "the code base")),
          in_manifest(
              named<adapter_keys>("adapters", &Manifest::adapters, "programs that run agents")),
          in_manifest(named<persona_keys>("personas", &Manifest::personas, "roles of agents")),
          in_manifest(object<server_keys>("server", &Manifest::server, "`wave serve`")),
          in_manifest(key("skills", &Manifest::skills, "skills every run needs"))
              .unsupported("put what the skill says into the personas' prompts"),
          list<hook_keys>("hooks", &ManifestDraft::hooks, "what to run when something happens"),
          in_manifest(object<runtime_keys>("runtime", &Manifest::runtime, "how runs are done")),
          in_manifest(object<evolution_keys>("evolution", &Manifest::evolution,
                                             "suggestions of new versions")),
      });
  return table;
}

}  // namespace wave::model
