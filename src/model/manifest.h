// wave.yaml, typed (wave-model.md section 1). Optional scalars keep "not written" apart from a
// value.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "model/access_config.h"
#include "model/webhook.h"

namespace wave::model {

/// Lists of tool patterns: `Tool`, `Tool(argument glob)`, `*` (wave-model.md 4.2).
struct Permissions {
  std::vector<std::string> allowed_tools;
  std::vector<std::string> deny;
  bool allowed_given = false;  // an empty list that was written differs from none

  friend bool operator==(const Permissions&, const Permissions&) = default;
};

struct Hook {
  enum class Event {
    kRunStart,
    kRunCompleted,
    kRunFailed,
    kStepStart,
    kStepCompleted,
    kStepFailed,
    kStepRetrying,
    kContractValidated,
    kArtifactCreated,
    kWorkspaceCreated,
  };
  enum class Type { kCommand, kHttp, kLlmJudge, kScript };
  std::string name;
  Event event = Event::kRunStart;
  Type type = Type::kCommand;
  std::string command;  // also the script of type script
  std::string url;
  std::string prompt;
  std::string model;
  std::string matcher;  // RE2, tested against the step id; "" is all
  bool blocking = false;
  bool fail_open = false;
  Millis timeout{30'000};
  SourcePos pos;
};

struct Service {
  std::string path, language, build_command, test_command, contract_test_command, source_glob;
};

struct ProjectConfig {
  std::string language, flavour, test_command, lint_command, build_command, format_command,
      source_glob, skill, contract_test_command;
  std::vector<std::string> test_file_pattern;
  std::string test_func_pattern;
  std::map<std::string, Service> services;
};

struct AdapterConfig {
  std::string name;
  std::string binary;
  std::string mode;
  std::string default_model;
  std::string output_format;
  std::vector<std::string> project_files;
  Permissions default_permissions;
  std::string hooks_template;
  std::map<std::string, std::string> tier_models;  // cheapest, balanced, strongest
  SourcePos pos;
};

struct ToolHook {
  std::string matcher, command;
};

struct Persona {
  std::string name;
  std::string adapter;
  std::string description;
  std::string system_prompt_file;
  std::string system_prompt;  // the file's text
  std::optional<double> temperature;
  std::string model;
  Permissions permissions;
  std::map<std::string, std::vector<ToolHook>> hooks;
  std::vector<std::string> sandbox_allowed_domains;
  std::vector<std::string> skills;
  std::vector<std::string> token_scopes;
  SourcePos pos;
};

struct Timeouts {
  Millis step_default = std::chrono::minutes(30);
  Millis relay_compaction = std::chrono::minutes(15);
  Millis meta_default = std::chrono::minutes(60);
  Millis gate_approval = std::chrono::hours(24);
  Millis skill_install = std::chrono::seconds(300);
  Millis skill_cli = std::chrono::seconds(300);
  Millis skill_http = std::chrono::seconds(300);
  Millis skill_http_header = std::chrono::seconds(60);
  Millis skill_publish = std::chrono::seconds(60);
  Millis process_grace = std::chrono::seconds(3);
  Millis stdout_drain = std::chrono::seconds(1);
  Millis gate_poll_interval = std::chrono::seconds(30);
  Millis gate_poll_timeout = std::chrono::minutes(60);
  Millis git_command = std::chrono::seconds(90);
  Millis forge_api = std::chrono::seconds(60);
  Millis retry_max_delay = std::chrono::seconds(60);
};

struct RelayConfig {
  int token_threshold_percent = 0;
  std::string strategy;
  int64_t context_window = 200'000;
  std::string summarizer_persona = "summarizer";
};

struct AuditConfig {
  std::string log_dir = ".agents/traces";
  bool log_all_tool_calls = false;
  bool log_all_file_operations = false;
};

struct MetaPipelineConfig {
  int max_depth = 3;
  int max_total_steps = 20;
  int64_t max_total_tokens = 500'000;
  Millis timeout = std::chrono::minutes(60);
};

struct RoutingRule {
  std::string pattern, pipeline;
  int priority = 0;
  std::map<std::string, std::string> match_labels;
};

struct RoutingConfig {
  std::string default_pipeline;
  std::vector<RoutingRule> rules;
  std::string default_tier;
  bool auto_route = false;
  std::map<std::string, std::string> complexity_map{
      {"cheapest", "claude-haiku-4-5"}, {"balanced", ""}, {"strongest", "claude-opus-4"}};
};

struct SandboxConfig {
  std::string backend = "none";  // docker, bubblewrap, none
  std::string docker_image = "ubuntu:24.04";
  std::vector<std::string> default_allowed_domains;
  std::vector<std::string> env_passthrough;
};

struct ArtifactsConfig {
  uint64_t max_stdout_size = 10ull << 20;
  std::string default_artifact_dir = ".agents/artifacts";
};

struct CircuitBreakerConfig {
  int limit = 3;
  std::vector<std::string> tracked_classes{"deterministic", "contract_failure", "test_failure"};
};

struct RetrosConfig {
  bool enabled = true, narrate = true;
  std::string narrate_model;
};

struct CostConfig {
  bool enabled = false;
  double budget_ceiling = 0;  // USD, 0 = none; a positive ceiling alone switches the ledger on
  double warn_at = 0;
  std::string currency = "USD";
};

/// wave's own: what is kept of terminal runs (promise O7). 0 = no bound.
struct RetentionConfig {
  Millis max_age{0};
  int64_t max_runs = 0;
  uint64_t max_bytes = 0;
};

struct RuntimeConfig {
  std::string workspace_root = ".agents/workspaces";
  int max_concurrent_workers = 5;
  int default_timeout_minutes = 0;
  int pipeline_id_hash_length = 8;
  int max_concurrency = 10;  // steps of one run at a time, and the cap of `concurrency`
  Millis stall_timeout{0};   // 0 = off
  Millis unattended_limit = std::chrono::hours(2);  // wave's own: agents without an owner (S1)
  uint64_t max_output_size = 1ull << 30;            // wave's own: a spool's cap (S4)
  std::map<std::string, std::vector<std::string>> fallbacks;
  Timeouts timeouts;
  RelayConfig relay;
  AuditConfig audit;
  MetaPipelineConfig meta_pipeline;
  RoutingConfig routing;
  SandboxConfig sandbox;
  ArtifactsConfig artifacts;
  CircuitBreakerConfig circuit_breaker;
  RetrosConfig retros;
  CostConfig cost;
  RetentionConfig retention;
};

/// The `server` block as written: `wave serve` reads it (an issue of its own).
struct ServerConfig {
  std::string bind;
  std::string base_path;  // as written; empty: the server has its host for itself
  int max_concurrent = 5;
  std::string auth_mode = "none";
  std::string jwt_secret;
  bool tls_enabled = false;
  std::string tls_cert, tls_key, tls_ca;
  AccessConfig access;
  std::string metrics = "viewer";  // who may read /metrics: viewer, open
  std::vector<Webhook> webhooks;
};

struct EvolutionConfig {
  bool enabled = true;
  int every_n_window = 10;
  double every_n_judge_drop = 0.1;
  int drift_window = 20;
  double drift_pass_drop = 0.15;
  int retry_window = 10;
  double retry_avg_threshold = 2.0;
};

struct Manifest {
  std::string path = "wave.yaml";  // relative to the project root
  std::string api_version, kind;
  std::string name, description, repo, forge;  // metadata
  ProjectConfig project;
  std::map<std::string, AdapterConfig> adapters;
  std::map<std::string, Persona> personas;
  std::optional<ServerConfig> server;
  std::vector<std::string> skills;
  std::vector<Hook> hooks;
  RuntimeConfig runtime;
  EvolutionConfig evolution;
  /// Shared preamble of every persona (.agents/personas/base-protocol.md); empty if there is none.
  std::string base_protocol;
  /// Values of keys whose names say that they are secret, as written: "${NAME}" stands for a
  /// variable. For masking (promise S6).
  std::vector<std::string> secrets;
};

}  // namespace wave::model
