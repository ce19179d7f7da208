// A pipeline, typed (wave-model.md section 2). Defaults are applied; templates are parsed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/manifest.h"
#include "model/template.h"

namespace wave::model {

/// What a step that failed for good does to its run. kWarn is upstream's spelling of kFail in
/// `retry`, and of kContinue in a contract.
enum class OnFailure { kFail, kSkip, kContinue, kRework, kWarn, kRejected };

enum class Backoff { kFixed, kLinear, kExponential };

struct Retry {
  std::string policy;    // none, standard, aggressive, patient, ""
  int max_attempts = 1;  // in all
  Backoff backoff = Backoff::kLinear;
  Millis base_delay{1000};
  Millis max_delay{60'000};
  std::string adapt_prompt;
  std::optional<OnFailure> on_failure;  // default: fail; continue when the step is optional
  std::string rework_step;
  bool no_escalate = false;
};

struct OutputArtifact {
  std::string name;
  Template path;              // relative to the workspace; empty for source stdout
  std::string type = "text";  // json, text, markdown, binary
  bool required = false;
  bool from_stdout = false;
  SourcePos pos;
};

struct InjectArtifact {
  std::string step;      // this or
  std::string pipeline;  // that
  std::string artifact;
  std::string as;
  std::string type;
  std::string schema_path;
  bool optional = false;
  SourcePos pos;
};

struct Mount {
  Template source;
  Template target;
  bool readonly = false;
  std::string subset_from;
};

struct Workspace {
  enum class Kind { kPlain, kMount, kWorktree, kRef };
  Kind kind = Kind::kPlain;
  std::string root;
  std::vector<Mount> mounts;
  Template branch;
  Template base;
  std::string ref;
};

struct Exec {
  enum class Type { kPrompt, kSlashCommand, kCommand };
  Type type = Type::kPrompt;
  Template source;  // inline, or the text of source_path
  std::string source_path;
  std::string command;
  std::string args;
};

struct Outcome {
  std::string type;  // pr, issue, url, deployment, file, artifact
  std::string extract_from, json_path, json_path_label, label;
};

struct ReviewContext {
  std::string source;  // git_diff or artifact
  std::string artifact;
  std::string diff_base;        // git_diff: commit or branch to compare with; empty: found out
  int64_t max_size = 50 << 10;  // bytes shown
};

/// One contract's configuration (wave-model.md 5.1). Which keys matter depends on `type`.
struct Contract {
  std::string type;
  Template source;     // default: the first output artifact's path
  std::string schema;  // inline schema text
  std::string schema_path;
  std::string schema_text;  // the schema itself, wherever it came from
  Template command;
  std::vector<std::string> command_args;
  std::string dir = "project_root";
  bool must_pass = false;
  OnFailure on_failure = OnFailure::kFail;
  int max_retries = 0;
  std::string rework_step;
  bool progressive_validation = false;
  std::string recovery_level;  // "", conservative, progressive, aggressive
  std::optional<bool> allow_recovery;
  bool warn_on_recovery = false;
  bool disable_wrapper_detection = false;
  bool debug_mode = false;
  std::string model;
  std::vector<std::string> criteria;
  double threshold = 1.0;
  int convergence_window = 3;
  double convergence_min_improvement = 0.05;
  std::string persona;
  std::string criteria_path;
  std::string criteria_text;  // the file's text
  std::vector<ReviewContext> context;
  int64_t token_budget = 0;
  Millis timeout{120'000};
  std::string glob;
  std::vector<std::string> exclude;
  int min_files = 1;
  int max_test_deletions = 0;
  std::vector<std::string> test_file_pattern;
  std::string test_func_pattern;
  std::string base_ref = "HEAD~1";
  json::array events;
  std::string spec_artifact, test_persona, implementation_step;
  json::object extra;  // keys that are parsed and have no field of their own
  SourcePos pos;
};

struct GateChoice {
  std::string label, key, target;
};

struct Gate {
  enum class Type { kApproval, kTimer, kPrMerge, kCiPass };
  Type type = Type::kApproval;
  std::vector<GateChoice> choices;
  std::string default_choice;  // a choice's key
  bool freeform = false;
  Template prompt;
  Template message;
  bool automatic = false;              // `auto`
  std::vector<std::string> approvers;  // subjects and role:NAME (approvers.h); empty: everybody
  bool forbid_self_approval = false;   // who started the run does not answer
  std::optional<Millis> timeout;
  std::optional<Millis> interval;
  int64_t pr_number = 0;
  std::string repo, branch;
  std::string tui_action;
};

struct Edge {
  std::string target, condition;
};

struct SubPipelineConfig {
  std::vector<std::string> inject, extract;
  Millis timeout{0};
  int max_cycles = 0;
  std::string stop_condition;
  std::map<std::string, std::string> env;
};

struct Iterate {
  Template over;
  bool parallel = false;
  int max_concurrent = 0;
  std::string on_failure;
};

struct Branch {
  Template on;
  std::map<std::string, std::string> cases;
};

struct Aggregate {
  Template from;
  std::string into, strategy, key;
};

struct Step;

struct Loop {
  int max_iterations = 0;
  Template until;
  std::vector<Step> steps;
};

/// Strategy, validation and other keys that are typed as JSON until their primitive comes.
enum class StepKind {
  kPersona,
  kCommand,
  kGate,  // carried out by this version
  kIterate,
  kAggregate,
  kBranch,
  kLoop,
  kSubPipeline,
  kMatrix,
  kConcurrency,
  kConditional,
};
std::string_view to_string(StepKind kind);

struct Step {
  std::string id;
  StepKind kind = StepKind::kPersona;  // by upstream's dispatch order
  std::string name, description;
  Template persona;
  std::string adapter, model;
  std::vector<std::string> dependencies;
  std::optional<Millis> timeout;
  bool optional = false;
  std::string memory_strategy = "fresh";
  std::vector<InjectArtifact> inject_artifacts;
  Workspace workspace;
  Exec exec;
  std::vector<OutputArtifact> output_artifacts;
  std::vector<Outcome> outcomes;
  std::vector<Contract> contracts;  // handover.contracts, else handover.contract
  json::object compaction;
  std::string on_review_fail, review_target_step;
  Retry retry;
  /// wave's own: what happens when the machine went down under it (promise S2).
  enum class OnInterrupt { kRerun, kGate, kFail };
  OnInterrupt on_interrupt = OnInterrupt::kRerun;
  bool rework_only = false;
  json::object strategy;
  json::array validation;
  int max_concurrent_agents = 0;
  int concurrency = 0;
  std::string type;
  Template script;
  std::vector<Edge> edges;
  int max_visits = 10;
  std::string thread, fidelity;
  std::vector<std::string> skills;
  Permissions permissions;
  Template pipeline;  // child pipeline
  Template input;
  json::object input_ref;
  std::optional<SubPipelineConfig> config;
  std::optional<Iterate> iterate;
  std::optional<Branch> branch;
  std::optional<Gate> gate;
  std::optional<Loop> loop;
  std::optional<Aggregate> aggregate;
  SourcePos pos;

  /// What retry.on_failure means for this step, defaults applied.
  [[nodiscard]] OnFailure on_failure() const;
};

/// Where a required program stands.
struct RequiredToolPlace {
  SourcePos pos;
  std::string key;
};

struct RequiredSkill {
  std::string install, init, check, commands_glob;
  bool optional = false;
};

struct PipelineInput {
  std::string source, type = "string", example;
  /// A JSON Schema. One with nothing but `type` and `description` is for display; any other is held
  /// when a run is started (engine/input_check.h).
  json::object schema;
  json::object label_filter;
  int batch_size = 0;
};

struct PipelineOutput {
  std::string step, artifact, field, type;
};

struct ChatContext {
  std::vector<std::string> artifact_summaries, suggested_questions, focus_areas;
  int64_t max_context_tokens = 8000;
};

struct Pipeline {
  std::string path;  // ".agents/pipelines/x.yaml"
  std::string kind = "WavePipeline";
  std::string name, description, category;
  bool release = false, disabled = false;
  std::vector<std::string> required_tools;
  std::vector<RequiredToolPlace> required_tool_places;  // of each of them
  std::map<std::string, RequiredSkill> required_skills;
  PipelineInput input;
  std::vector<Step> steps;
  std::vector<Hook> hooks;
  std::map<std::string, PipelineOutput> outputs;
  std::optional<ChatContext> chat_context;
  std::vector<std::string> skills;
  int max_step_visits = 50;

  /// The step's place in `steps`, or -1.
  [[nodiscard]] int index_of(std::string_view step_id) const;
  [[nodiscard]] const Step* find(std::string_view step_id) const;
};

}  // namespace wave::model
