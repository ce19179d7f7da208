#include "model/pipeline_tables.h"

#include "base/text.h"

namespace wave::model {
namespace {

template <typename E>
using Words = std::initializer_list<std::pair<std::string_view, E>>;

constexpr std::initializer_list<std::string_view> kArtifactTypes = {"json", "yaml", "text",
                                                                    "markdown", "binary"};

// A list of skills: placeholders that are empty drop out, the rest is not carried out yet.
template <typename T>
Key<T> skills_key(std::vector<std::string> T::* member) {
  return custom<T>("skills", "list of text", "skills it needs; not carried out yet",
                   [member](T& value, Binder& binder, const yaml::Node& node) {
                     binder.read(node, value.*member);
                   })
      .unsupported("put what the skill says into the prompt, or into the persona's")
      .reports_itself();
}

const KeyTable<Pipeline>& pipeline_metadata_keys() {
  using T = Pipeline;
  static const KeyTable<T> table(
      "pipeline metadata", "What the pipeline is.",
      {
          key("name", &T::name, "its name; runs and folders are named after it")
              .fallback("the file's name"),
          key("description", &T::description, "what it does"),
          key("category", &T::category, "for listings").parsed_only(),
          key("release", &T::release, "whether `wave init` copies it")
              .fallback("false")
              .parsed_only(),
          key("disabled", &T::disabled, "hidden from listings").fallback("false"),
      });
  return table;
}

const KeyTable<RequiredSkill>& required_skill_keys() {
  using T = RequiredSkill;
  static const KeyTable<T> table(
      "required skill", "A skill that has to be installed. Not carried out yet.",
      {
          key("check", &T::check, "command that shows that it is there")
              .unsupported()
              .reports_itself(),
          key("install", &T::install, "command that installs it").unsupported().reports_itself(),
          key("init", &T::init, "command for each new worktree").unsupported().reports_itself(),
          key("commands_glob", &T::commands_glob, "files copied as slash commands")
              .unsupported()
              .reports_itself(),
          key("optional", &T::optional, "whether the run goes on without it")
              .fallback("false")
              .parsed_only(),
      });
  return table;
}

const KeyTable<Pipeline>& requires_keys() {
  using T = Pipeline;
  static const KeyTable<T> table(
      "requires", "What has to be there before a run starts.",
      {
          key("tools", &T::required_tools, "programs on PATH; placeholders allowed"),
          named<required_skill_keys>("skills", &T::required_skills, "skills")
              .unsupported("install it yourself and remove the requirement"),
      });
  return table;
}

Key<PipelineInput> input_type_key() {
  Key<PipelineInput> made = key("type", &PipelineInput::type, "what the input is");
  made.doc.fallback = "string";
  made.doc.allowed = shared_types();
  return made;
}

const KeyTable<PipelineInput>& input_keys() {
  using T = PipelineInput;
  static const KeyTable<T> table(
      "input", "What a run is started with: `{{ input }}`.",
      {
          key("source", &T::source, "where it usually comes from").parsed_only(),
          input_type_key(),
          key("schema", &T::schema,
              "a JSON Schema, of which the browser makes a form. With more than `type` and "
              "`description` it is held when a run is started: the input is then JSON, or plain "
              "text if the schema's `type` is `string`"),
          key("example", &T::example, "for display").parsed_only(),
          custom<T>("label_filter", "any", "legacy",
                    [](T& value, Binder&, const yaml::Node& node) {
                      value.label_filter["value"] = yaml::to_json(node);
                    })
              .parsed_only(),
          key("batch_size", &T::batch_size, "legacy").parsed_only(),
      });
  return table;
}

const KeyTable<PipelineOutput>& output_keys() {
  using T = PipelineOutput;
  static const KeyTable<T> table(
      "pipeline output", "What the pipeline gives to who calls it, `pipeline_outputs.<name>`.",
      {
          key("step", &T::step, "step that makes it").required(),
          key("artifact", &T::artifact, "its artifact").required(),
          key("field", &T::field, "a part of the JSON artifact"),
          [] {
            auto made = key("type", &T::type, "what it is");
            made.doc.allowed = shared_types();
            made.doc.required = true;
            return made;
          }(),
      });
  return table;
}

const KeyTable<ChatContext>& chat_keys() {
  using T = ChatContext;
  static const KeyTable<T> table(
      "chat_context", "Material for a conversation about a finished run.",
      {
          key("artifact_summaries", &T::artifact_summaries, "artifacts to sum up").parsed_only(),
          key("suggested_questions", &T::suggested_questions, "questions to offer").parsed_only(),
          key("focus_areas", &T::focus_areas, "what matters").parsed_only(),
          key("max_context_tokens", &T::max_context_tokens, "size").fallback("8000").parsed_only(),
      });
  return table;
}

const KeyTable<InjectArtifact>& inject_keys() {
  using T = InjectArtifact;
  static const KeyTable<T> table(
      "injected artifact",
      "An artifact put into the step's workspace at `.agents/artifacts/<as>` and named in its "
      "prompt. Exactly one of `step` and `pipeline`.",
      {
          key("step", &T::step, "step that made it"),
          key("pipeline", &T::pipeline, "pipeline that made it; not carried out yet"),
          key("artifact", &T::artifact, "its name").required(),
          key("as", &T::as, "file name to put it under").fallback("the artifact's name"),
          key("type", &T::type, "type it has to have").one_of(kArtifactTypes),
          key("schema_path", &T::schema_path, "JSON schema it has to hold"),
          key("optional", &T::optional, "go on without it").fallback("false"),
      });
  return table;
}

const KeyTable<Step>& memory_keys() {
  using T = Step;
  static const KeyTable<T> table(
      "memory", "What a step knows of the steps before it.",
      {
          key("strategy", &T::memory_strategy, "every agent starts fresh")
              .fallback("fresh")
              .one_of({"fresh"}),
          list<inject_keys>("inject_artifacts", &T::inject_artifacts, "artifacts to put in"),
      });
  return table;
}

const KeyTable<Mount>& mount_keys() {
  using T = Mount;
  static const KeyTable<T> table(
      "mount", "A folder copied into the workspace.",
      {
          key("source", &T::source, "folder, relative to the project").required(),
          key("target", &T::target, "where it appears; \"/project\" is `project` in the workspace")
              .required(),
          choice("mode", &T::readonly, Words<bool>{{"readonly", true}, {"readwrite", false}},
                 "whether it may be changed")
              .fallback("readwrite"),
          key("subset_from", &T::subset_from,
              "`<step>.<artifact>.<path>`: only the files this list names; the whole folder when "
              "another pipeline's step is named"),
      });
  return table;
}

struct WorkspaceDraft {
  Workspace workspace;
  std::string type;
};

const KeyTable<WorkspaceDraft>& workspace_keys() {
  using T = WorkspaceDraft;
  const auto in = [](Key<Workspace> inner) { return within(&T::workspace, std::move(inner)); };
  static const KeyTable<T> table(
      "workspace",
      "Where a step works: an empty folder, mounted copies, a git worktree or another step's "
      "workspace.",
      {
          key("type", &T::type, "`worktree` for a git worktree").one_of({"worktree", ""}),
          in(key("branch", &Workspace::branch,
                 "branch of the worktree; steps with the same branch share it")
                 .fallback("wave/<run>/<step>")),
          in(key("base", &Workspace::base, "commit or branch a new branch starts from")
                 .fallback("HEAD")),
          in(list<mount_keys>("mount", &Workspace::mounts, "folders to copy in")),
          in(key("ref", &Workspace::ref, "step whose workspace is shared, or `parent`")),
          in(key("root", &Workspace::root, "legacy").parsed_only()),
      });
  return table;
}

void read_workspace(Step& step, Binder& binder, const yaml::Node& node) {
  WorkspaceDraft draft;
  workspace_keys().read(draft, binder, node);
  Workspace& workspace = draft.workspace;
  using enum Workspace::Kind;
  int kinds = 0;
  const auto is = [&](bool holds, Workspace::Kind kind) {
    if (!holds) return;
    workspace.kind = kind;
    ++kinds;
  };
  is(!workspace.mounts.empty(), kMount);
  is(draft.type == "worktree", kWorktree);
  is(!workspace.ref.empty(), kRef);
  if (kinds > 1) {
    binder.error(node, "a workspace is one of a worktree, mounts and a ref, not several",
                 "keep one of type, mount and ref");
  }
  if (workspace.kind != kWorktree && (!workspace.branch.empty() || !workspace.base.empty())) {
    binder.error(node, "\"branch\" and \"base\" need type: worktree");
  }
  step.workspace = std::move(workspace);
}

const KeyTable<Exec>& exec_keys() {
  using T = Exec;
  static const KeyTable<T> table(
      "exec", "What an agent is asked to do.",
      {
          choice("type", &T::type,
                 Words<Exec::Type>{{"prompt", Exec::Type::kPrompt},
                                   {"slash_command", Exec::Type::kSlashCommand},
                                   {"command", Exec::Type::kCommand}},
                 "a prompt, or a slash command of the agent")
              .fallback("prompt")
              .not_yet({"command"}),
          key("source", &T::source, "the prompt"),
          key("source_path", &T::source_path, "file with the prompt, relative to the project"),
          key("command", &T::command, "name of the slash command"),
          key("args", &T::args, "its arguments"),
      });
  return table;
}

const KeyTable<OutputArtifact>& artifact_keys() {
  using T = OutputArtifact;
  static const KeyTable<T> table(
      "output artifact", "A file that a step gives to the steps after it.",
      {
          key("name", &T::name, "its name").required(),
          key("path", &T::path, "file in the workspace; needed unless it is taken from stdout"),
          key("type", &T::type, "what it is").fallback("text").one_of(kArtifactTypes),
          key("required", &T::required, "whether steps after it fail without it").fallback("false"),
          choice("source", &T::from_stdout, Words<bool>{{"file", false}, {"stdout", true}},
                 "where it comes from")
              .fallback("file"),
      });
  return table;
}

const KeyTable<Outcome>& outcome_keys() {
  using T = Outcome;
  static const KeyTable<T> table(
      "outcome", "A link to show when a run ended. Not shown yet.",
      {
          key("type", &T::type, "what it is")
              .one_of({"pr", "issue", "url", "deployment", "file", "artifact"})
              .required()
              .parsed_only(),
          key("extract_from", &T::extract_from, "file it is read from").parsed_only(),
          key("json_path", &T::json_path, "where in it").parsed_only(),
          key("json_path_label", &T::json_path_label, "where its label is").parsed_only(),
          key("label", &T::label, "its label").parsed_only(),
      });
  return table;
}

const KeyTable<ReviewContext>& review_context_keys() {
  using T = ReviewContext;
  static const KeyTable<T> table(
      "review context", "What a reviewer is shown.",
      {
          key("source", &T::source, "the diff or an artifact")
              .one_of({"git_diff", "artifact"})
              .required(),
          key("artifact", &T::artifact, "name of the artifact"),
          key("diff_base", &T::diff_base, "what the diff starts from")
              .fallback("origin/main, origin/master, main or master"),
          key("max_size", &T::max_size, "most bytes of it").fallback("51200"),
      });
  return table;
}

// Keys that the original knows and that have no member of their own.
Key<Contract> extra(std::string_view name, std::string_view meaning) {
  return custom<Contract>(name, "any", meaning,
                          [name](Contract& contract, Binder&, const yaml::Node& node) {
                            contract.extra[name] = yaml::to_json(node);
                          })
      .parsed_only();
}

struct Handover {
  std::vector<Contract> contracts;
  std::optional<Contract> contract;
  json::object compaction;
  std::string on_review_fail, target_step;
};

const KeyTable<json::object>& compaction_keys() {
  const auto member = [](std::string_view name, std::string_view meaning) {
    return custom<json::object>(
        name, "text", meaning,
        [name](json::object& object, Binder& binder, const yaml::Node& node) {
          std::string text;
          if (binder.read(node, text)) object[name] = text;
        });
  };
  static const KeyTable<json::object> table(
      "compaction", "Summarising a long conversation. Not carried out yet.",
      {member("trigger", "`token_limit_<N>%`"), member("persona", "persona that summarises")});
  return table;
}

const KeyTable<Handover>& handover_keys() {
  using T = Handover;
  static const KeyTable<T> table(
      "handover", "What has to hold when a step is done.",
      {
          object<contract_keys>("contract", &T::contract, "one contract"),
          list<contract_keys>("contracts", &T::contracts,
                              "contracts, checked in order; win over `contract`"),
          object<compaction_keys>("compaction", &T::compaction, "summarising the conversation")
              .unsupported("remove it; conversations are not summarised"),
          key("on_review_fail", &T::on_review_fail, "legacy").parsed_only(),
          key("target_step", &T::target_step, "legacy").parsed_only(),
      });
  return table;
}

void read_handover(Step& step, Binder& binder, const yaml::Node& node) {
  Handover handover;
  handover_keys().read(handover, binder, node);
  if (handover.contracts.empty() && handover.contract) {
    handover.contracts.push_back(*std::move(handover.contract));
  }
  step.contracts = std::move(handover.contracts);
  step.compaction = std::move(handover.compaction);
  step.on_review_fail = std::move(handover.on_review_fail);
  step.review_target_step = std::move(handover.target_step);
}

struct RetryDraft {
  std::string policy, adapt_prompt, rework_step;
  std::optional<int> max_attempts;
  std::optional<Backoff> backoff;
  std::optional<Millis> base_delay, max_delay;
  std::optional<OnFailure> on_failure;
  bool no_escalate = false;
};

const KeyTable<RetryDraft>& retry_keys() {
  using T = RetryDraft;
  static const KeyTable<T> table(
      "retry",
      "What happens when a step fails. Policies: none (1 attempt), standard (3, exponential from "
      "1s "
      "to 30s), aggressive (5, exponential from 200ms to 30s), patient (3, exponential from 5s to "
      "90s); keys that are written win over the policy's.",
      {
          key("policy", &T::policy, "a set of values for the other keys")
              .one_of({"none", "standard", "aggressive", "patient"}),
          key("max_attempts", &T::max_attempts, "attempts in all").fallback("1"),
          choice("backoff", &T::backoff,
                 Words<Backoff>{{"fixed", Backoff::kFixed},
                                {"linear", Backoff::kLinear},
                                {"exponential", Backoff::kExponential}},
                 "how the wait grows")
              .fallback("linear"),
          key("base_delay", &T::base_delay, "first wait").fallback("1s"),
          key("max_delay", &T::max_delay, "longest wait")
              .fallback("60s, or `runtime.timeouts.retry_max_delay_seconds`"),
          key("adapt_prompt", &T::adapt_prompt,
              "legacy; the next attempt always learns what failed")
              .parsed_only(),
          choice("on_failure", &T::on_failure,
                 Words<OnFailure>{{"fail", OnFailure::kFail},
                                  {"skip", OnFailure::kSkip},
                                  {"continue", OnFailure::kContinue},
                                  {"rework", OnFailure::kRework},
                                  {"warn", OnFailure::kWarn}},
                 "what a step does to its run that failed for good")
              .fallback("fail; continue for an optional step"),
          key("rework_step", &T::rework_step, "step that repairs it; with on_failure: rework"),
          key("no_escalate", &T::no_escalate, "retry with the same model, not with a stronger one")
              .fallback("false"),
      });
  return table;
}

Retry policy_defaults(std::string_view policy) {
  using std::chrono::milliseconds;
  Retry retry;
  retry.policy = policy;
  const auto set = [&](int attempts, Backoff backoff, int base, int max) {
    retry.max_attempts = attempts;
    retry.backoff = backoff;
    retry.base_delay = milliseconds(base);
    retry.max_delay = milliseconds(max);
  };
  if (policy == "none") set(1, Backoff::kFixed, 0, 0);
  if (policy == "standard") set(3, Backoff::kExponential, 1'000, 30'000);
  if (policy == "aggressive") set(5, Backoff::kExponential, 200, 30'000);
  if (policy == "patient") set(3, Backoff::kExponential, 5'000, 90'000);
  return retry;
}

void read_retry(Step& step, Binder& binder, const yaml::Node& node) {
  RetryDraft draft;
  retry_keys().read(draft, binder, node);
  Retry retry = policy_defaults(draft.policy);
  constexpr int kMostAttempts = 100;
  if (draft.max_attempts) {
    if (*draft.max_attempts > kMostAttempts) {
      const yaml::Node* value = node.find("max_attempts");
      const Binder::Part part(binder, "max_attempts");
      binder.error(value == nullptr ? node : *value,
                   fmt::format("{} attempts are too many", *draft.max_attempts),
                   fmt::format("at most {} are allowed", kMostAttempts));
    }
    retry.max_attempts = std::clamp(*draft.max_attempts, 1, kMostAttempts);
  }
  if (draft.backoff) retry.backoff = *draft.backoff;
  if (draft.base_delay) retry.base_delay = *draft.base_delay;
  if (draft.max_delay) retry.max_delay = *draft.max_delay;
  retry.on_failure = draft.on_failure;
  retry.adapt_prompt = std::move(draft.adapt_prompt);
  retry.rework_step = std::move(draft.rework_step);
  retry.no_escalate = draft.no_escalate;
  step.retry = std::move(retry);
}

const KeyTable<GateChoice>& gate_choice_keys() {
  using T = GateChoice;
  static const KeyTable<T> table(
      "gate choice", "One possible answer.",
      {
          key("label", &T::label, "what people read").required(),
          key("key", &T::key, "what they type").required(),
          key("target", &T::target,
              "step to go on with (again), or `_fail`; without it the run just goes on"),
      });
  return table;
}

const KeyTable<Edge>& edge_keys() {
  using T = Edge;
  static const KeyTable<T> table(
      "edge", "Where to go after a step. Not carried out yet.",
      {
          key("target", &T::target, "step, or `_complete`").required(),
          key("condition", &T::condition,
              "`outcome=success`, `outcome=failure` or `context.<key>=<value>`")
              .fallback("always"),
      });
  return table;
}

const KeyTable<SubPipelineConfig>& config_keys() {
  using T = SubPipelineConfig;
  static const KeyTable<T> table(
      "config", "Settings of a sub-pipeline. Not carried out yet.",
      {
          key("inject", &T::inject, "artifacts it gets"),
          key("extract", &T::extract, "artifacts it gives back"),
          key("timeout", &T::timeout, "longest time"),
          key("max_cycles", &T::max_cycles, "bound of its loops"),
          key("stop_condition", &T::stop_condition, "legacy").parsed_only(),
          key("env", &T::env, "its `{{ env.<name> }}`"),
      });
  return table;
}

const KeyTable<Iterate>& iterate_keys() {
  using T = Iterate;
  static const KeyTable<T> table(
      "iterate", "One sub-pipeline per item. Not carried out yet.",
      {
          key("over", &T::over, "a JSON array").required(),
          choice("mode", &T::parallel, Words<bool>{{"sequential", false}, {"parallel", true}},
                 "one after the other, or at a time")
              .fallback("sequential"),
          key("max_concurrent", &T::max_concurrent, "items at a time").fallback("all"),
          key("on_failure", &T::on_failure, "what a failed item does to the others")
              .one_of({"fail", "continue", "skip"}),
      });
  return table;
}

const KeyTable<Branch>& branch_keys() {
  using T = Branch;
  static const KeyTable<T> table(
      "branch", "A sub-pipeline chosen by a value. Not carried out yet.",
      {
          key("on", &T::on, "the value").required(),
          key("cases", &T::cases, "value to pipeline, or `skip`; `default` for the rest")
              .required(),
      });
  return table;
}

const KeyTable<Aggregate>& aggregate_keys() {
  using T = Aggregate;
  static const KeyTable<T> table("aggregate", "Puts outputs together. Not carried out yet.",
                                 {
                                     key("from", &T::from, "what").required(),
                                     key("into", &T::into, "file").required(),
                                     key("strategy", &T::strategy, "how")
                                         .one_of({"merge_arrays", "concat", "reduce"})
                                         .required(),
                                     key("key", &T::key, "member of the objects that are merged"),
                                 });
  return table;
}

void read_steps(std::vector<Step>& steps, Binder& binder, const yaml::Node& node) {
  if (!node.is_sequence()) return binder.mismatch(node, "a list");
  const bool outer_items = binder.scope.items;
  for (size_t i = 0; i < node.items.size(); ++i) {
    const Binder::Part part(binder, i);
    const yaml::Node& item = node.items[i];
    Step& step = steps.emplace_back();
    step.pos = binder.pos(item);
    binder.scope.items = outer_items || item.find("iterate") != nullptr ||
                         item.find("strategy") != nullptr || item.find("loop") != nullptr;
    step_keys().read(step, binder, item);
  }
  binder.scope.items = outer_items;
}

template <typename T>
Key<T> steps_key(std::vector<Step> T::* member, std::string_view meaning) {
  Key<T> made = custom<T>("steps", "list of mappings", meaning,
                          [member](T& value, Binder& binder, const yaml::Node& node) {
                            read_steps(value.*member, binder, node);
                          });
  made.doc.nested = +[]() -> const TableDoc& { return step_keys().doc(); };
  return made;
}

const KeyTable<Loop>& loop_keys() {
  using T = Loop;
  static const KeyTable<T> table("loop", "Steps that are repeated. Not carried out yet.",
                                 {
                                     key("max_iterations", &T::max_iterations, "bound").required(),
                                     key("until", &T::until, "stop when this is true, done or yes"),
                                     steps_key(&T::steps, "what is repeated"),
                                 });
  return table;
}

template <auto table, typename T>
Key<T> nested_custom(std::string_view name, std::string_view meaning,
                     std::function<void(T&, Binder&, const yaml::Node&)> read) {
  Key<T> made = custom<T>(name, "mapping", meaning, std::move(read));
  made.doc.nested = +[]() -> const TableDoc& { return table().doc(); };
  return made;
}

const KeyTable<json::object>& strategy_keys() {
  const auto member = [](std::string_view name, std::string_view meaning) {
    return custom<json::object>(
        name, "any", meaning, [name](json::object& object, Binder& binder, const yaml::Node& node) {
          if (!node.is_scalar()) return binder.mismatch(node, "text or a number");
          object[name] = yaml::to_json(node);
        });
  };
  static const KeyTable<json::object> table(
      "strategy", "A step once per item of a list. Not carried out yet.",
      {
          member("type", "`matrix`").one_of({"matrix"}).required(),
          member("items_source", "`<step>/<file>` with a JSON list"),
          member("item_key", "where in the file the list is"),
          member("max_concurrency", "items at a time"),
          member("item_id_key", "an item's id"),
          member("dependency_key", "ids an item depends on"),
          member("child_pipeline", "pipeline per item"),
          member("input_template", "its input"),
          member("stacked", "branches of items start from those they depend on"),
      });
  return table;
}

Key<Step> step_timeout_key() {
  return custom<Step>("timeout_minutes", "whole number", "longest time of one attempt",
                      [](Step& step, Binder& binder, const yaml::Node& node) {
                        int minutes = 0;
                        if (binder.read(node, minutes) && minutes > 0) {
                          step.timeout = std::chrono::minutes(minutes);
                        }
                      })
      .fallback(
          "`runtime.default_timeout_minutes`, else "
          "`runtime.timeouts.step_default_minutes`");
}

}  // namespace

const std::vector<std::string_view>& shared_types() {
  static const std::vector<std::string_view> types = {
      "string",        "issue_ref",       "pr_ref",   "branch_ref",   "spec_ref",
      "workspace_ref", "findings_report", "plan_ref", "scope_result", "work_item_ref"};
  return types;
}

const KeyTable<Contract>& contract_keys() {
  using T = Contract;
  static const KeyTable<T> table(
      "contract",
      "What an output has to fulfil. `json_schema`, `non_empty_file`, `test_suite` and "
      "`agent_review` are carried out.",
      {
          key("type", &T::type, "what is checked")
              .one_of({"json_schema", "non_empty_file", "test_suite", "agent_review",
                       "typescript_interface", "markdown_spec", "format", "llm_judge",
                       "source_diff", "test_diff", "test_count_baseline", "event_contains",
                       "spec_derived_test"})
              .not_yet({"typescript_interface", "markdown_spec", "format", "llm_judge",
                        "source_diff", "test_diff", "test_count_baseline", "event_contains",
                        "spec_derived_test"})
              .required(),
          key("source", &T::source, "file that is checked").fallback("the first output artifact"),
          key("schema", &T::schema, "json_schema: the schema itself"),
          key("schema_path", &T::schema_path,
              "json_schema: file with the schema, below .agents/contracts, .agents/schemas, "
              "contracts "
              "or schemas"),
          key("command", &T::command, "test_suite: shell command that has to exit with 0"),
          key("command_args", &T::command_args, "test_suite: its arguments"),
          key("dir", &T::dir, "test_suite: folder, or project_root").fallback("project_root"),
          key("must_pass", &T::must_pass, "json_schema: recover JSON only conservatively")
              .fallback("false"),
          choice("on_failure", &T::on_failure,
                 Words<OnFailure>{{"fail", OnFailure::kFail},
                                  {"skip", OnFailure::kSkip},
                                  {"continue", OnFailure::kContinue},
                                  {"warn", OnFailure::kWarn},
                                  {"rework", OnFailure::kRework},
                                  {"rejected", OnFailure::kRejected}},
                 "fail the attempt, skip the contracts after it, go on (continue, warn), repair "
                 "(rework) or reject the run")
              .fallback("fail"),
          key("max_retries", &T::max_retries, "rework: rounds").fallback("1"),
          key("rework_step", &T::rework_step, "rework: step that repairs")
              .fallback("the step's retry.rework_step"),
          key("recovery_level", &T::recovery_level, "json_schema: how hard to find JSON in text")
              .one_of({"conservative", "progressive", "aggressive"})
              .fallback("progressive; conservative with must_pass"),
          key("allow_recovery", &T::allow_recovery, "json_schema: whether to recover at all")
              .fallback("true"),
          key("progressive_validation", &T::progressive_validation, "json_schema: legacy")
              .fallback("false")
              .parsed_only(),
          key("warn_on_recovery", &T::warn_on_recovery, "json_schema: say when JSON was recovered")
              .fallback("false"),
          key("disable_wrapper_detection", &T::disable_wrapper_detection,
              "json_schema: do not unwrap error reports")
              .fallback("false"),
          key("debug_mode", &T::debug_mode, "json_schema: more detail").fallback("false"),
          key("criteria_path", &T::criteria_path,
              "agent_review: file with what to look at; instead of `criteria`"),
          key("persona", &T::persona, "agent_review: who reviews; not the step's own persona"),
          list<review_context_keys>("context", &T::context, "agent_review: what the reviewer sees"),
          key("model", &T::model, "agent_review, llm_judge: model or tier"),
          key("token_budget", &T::token_budget, "agent_review: tokens; 0 is no bound")
              .fallback("0"),
          key("timeout", &T::timeout, "longest time").fallback("120s"),
          key("criteria", &T::criteria,
              "agent_review, llm_judge: what has to be fulfilled, one a line"),
          key("threshold", &T::threshold, "llm_judge: share of criteria that is enough")
              .fallback("1.0"),
          key("convergence_window", &T::convergence_window, "rework: rounds looked at")
              .fallback("3"),
          key("convergence_min_improvement", &T::convergence_min_improvement,
              "rework: improvement that counts")
              .fallback("0.05"),
          key("glob", &T::glob, "source_diff: files that count"),
          key("exclude", &T::exclude, "source_diff: files that do not"),
          key("min_files", &T::min_files, "source_diff: how many").fallback("1"),
          key("max_test_deletions", &T::max_test_deletions, "test_diff: most tests fewer")
              .fallback("0"),
          key("test_file_pattern", &T::test_file_pattern, "test_diff: test files")
              .fallback("`project.test_file_pattern`"),
          key("test_func_pattern", &T::test_func_pattern, "test_diff: a test's declaration")
              .fallback("`project.test_func_pattern`"),
          key("base_ref", &T::base_ref, "test_count_baseline: compare with").fallback("HEAD~1"),
          key("events", &T::events, "event_contains: what has to have happened"),
          key("spec_artifact", &T::spec_artifact, "spec_derived_test: the specification"),
          key("test_persona", &T::test_persona, "spec_derived_test: who writes the tests"),
          key("implementation_step", &T::implementation_step, "spec_derived_test: what is tested"),
          extra("validate", "legacy"),
      });
  return table;
}

const KeyTable<Gate>& gate_keys() {
  using T = Gate;
  static const KeyTable<T> table(
      "gate", "A step that waits: for a decision or for time.",
      {
          choice("type", &T::type,
                 Words<Gate::Type>{{"approval", Gate::Type::kApproval},
                                   {"timer", Gate::Type::kTimer},
                                   {"pr_merge", Gate::Type::kPrMerge},
                                   {"ci_pass", Gate::Type::kCiPass}},
                 "what it waits for")
              .not_yet({"pr_merge", "ci_pass"})
              .required(),
          list<gate_choice_keys>("choices", &T::choices, "approval: the answers"),
          key("default", &T::default_choice, "approval: key of the answer after the timeout"),
          key("freeform", &T::freeform, "approval: ask for a text as well").fallback("false"),
          key("prompt", &T::prompt, "approval: the question"),
          key("message", &T::message, "what is shown while it waits"),
          key("auto", &T::automatic, "answer at once: the default, else the first choice")
              .fallback("false"),
          custom<T>("approvers", "list of text",
                    "approval: who may answer: subjects such as ada, and role:operator or "
                    "role:admin. wave's own",
                    [](T& value, Binder& binder, const yaml::Node& node) {
                      if (!binder.read(node, value.approvers) || !value.approvers.empty()) return;
                      binder.add(Severity::kError, node, "an empty list lets nobody answer",
                                 "name somebody, or remove the key");
                    })
              .fallback("everybody with the role operator"),
          key("forbid_self_approval", &T::forbid_self_approval,
              "approval: who started the run may not answer. wave's own")
              .fallback("false"),
          key("timeout", &T::timeout, "how long it waits; needed by a timer")
              .fallback("`runtime.timeouts.gate_approval_hours`"),
          key("interval", &T::interval, "pr_merge, ci_pass: time between two looks")
              .fallback("30s"),
          key("pr_number", &T::pr_number, "pr_merge: the pull request"),
          key("repo", &T::repo, "pr_merge, ci_pass: the repository"),
          key("branch", &T::branch, "ci_pass: the branch"),
          key("tui_action", &T::tui_action, "legacy").parsed_only(),
      });
  return table;
}

const KeyTable<Step>& step_keys() {
  using T = Step;
  static const KeyTable<T> table(
      "step",
      "One unit of work. What it is follows from its keys: an agent (persona), a shell script "
      "(script), a gate. iterate, aggregate, branch, loop, pipeline, strategy, concurrency and "
      "conditional steps are read and checked, and not carried out yet.",
      {
          key("id", &T::id, "its name, once in the pipeline; folders are named after it")
              .required(),
          key("name", &T::name, "for display. wave's own").parsed_only(),
          key("description", &T::description, "for display. wave's own").parsed_only(),
          key("type", &T::type, "said explicitly; else it follows from the other keys")
              .one_of({"command", "conditional", "gate", "pipeline", ""}),
          key("persona", &T::persona, "who does it"),
          key("adapter", &T::adapter, "adapter instead of the persona's"),
          key("model", &T::model, "model id or tier instead of the persona's"),
          key("dependencies", &T::dependencies, "steps that have to be done before"),
          nested_custom<exec_keys, T>("exec", "what the agent is asked to do",
                                      [](T& step, Binder& binder, const yaml::Node& node) {
                                        exec_keys().read(step.exec, binder, node);
                                      }),
          key("script", &T::script, "shell script (sh); run values become environment variables"),
          object<gate_keys>("gate", &T::gate, "what it waits for"),
          step_timeout_key(),
          key("optional", &T::optional, "the run goes on when it fails").fallback("false"),
          section<memory_keys, T>("memory", "what it knows of the steps before"),
          nested_custom<workspace_keys, T>("workspace", "where it works", read_workspace),
          list<artifact_keys>("output_artifacts", &T::output_artifacts, "what it makes"),
          list<outcome_keys>("outcomes", &T::outcomes, "links to show").parsed_only(),
          nested_custom<handover_keys, T>("handover", "what has to hold afterwards", read_handover),
          nested_custom<retry_keys, T>("retry", "what happens when it fails", read_retry),
          choice("on_interrupt", &T::on_interrupt,
                 Words<Step::OnInterrupt>{{"rerun", Step::OnInterrupt::kRerun},
                                          {"gate", Step::OnInterrupt::kGate},
                                          {"fail", Step::OnInterrupt::kFail}},
                 "what happens when the machine went down under it: run it again, ask, or fail. "
                 "wave's own")
              .fallback("rerun"),
          key("rework_only", &T::rework_only, "runs only to repair another step").fallback("false"),
          object<permission_keys>("permissions", &T::permissions,
                                  "narrows what its persona may do"),
          skills_key<T>(&T::skills),
          key("max_concurrent_agents", &T::max_concurrent_agents,
              "how many helpers the agent is told it may start, at most 10")
              .fallback("0"),
          key("concurrency", &T::concurrency,
              "equal agents at a time; more than 1 is not carried out "
              "yet"),
          nested_custom<strategy_keys, T>("strategy", "once per item of a list",
                                          [](T& step, Binder& binder, const yaml::Node& node) {
                                            strategy_keys().read(step.strategy, binder, node);
                                          }),
          key("pipeline", &T::pipeline, "sub-pipeline to run; not carried out yet"),
          key("input", &T::input, "its input").fallback("this run's input"),
          key("input_ref", &T::input_ref, "its input, from an output").parsed_only(),
          object<config_keys>("config", &T::config, "its settings"),
          object<iterate_keys>("iterate", &T::iterate, "a sub-pipeline per item"),
          object<branch_keys>("branch", &T::branch, "a sub-pipeline by a value"),
          object<loop_keys>("loop", &T::loop, "repeated steps"),
          object<aggregate_keys>("aggregate", &T::aggregate, "outputs put together"),
          list<edge_keys>("edges", &T::edges, "where to go next").unsupported("use dependencies"),
          key("max_visits", &T::max_visits, "with edges: how often it may run").fallback("10"),
          key("thread", &T::thread, "steps that share a conversation")
              .unsupported("remove it and inject what the step has to know as artifacts")
              .reports_itself(),
          key("fidelity", &T::fidelity, "how much of the thread's conversation is passed on")
              .one_of({"full", "compact", "summary", "fresh"})
              .fallback("full in a thread"),
          key("validation", &T::validation, "legacy").parsed_only(),
      });
  return table;
}

const KeyTable<PipelineDraft>& pipeline_keys() {
  using T = PipelineDraft;
  const auto in = [](Key<Pipeline> inner) { return within(&T::pipeline, std::move(inner)); };
  static const KeyTable<T> table(
      "pipeline", "A file `.agents/pipelines/<name>.yaml`.",
      {
          in(key("kind", &Pipeline::kind, "what the file is")
                 .fallback("WavePipeline")
                 .one_of({"WavePipeline"})),
          in(section<pipeline_metadata_keys, Pipeline>("metadata", "what the pipeline is")),
          in(section<requires_keys, Pipeline>("requires", "what has to be there")),
          in(object<input_keys>("input", &Pipeline::input, "what a run is started with")),
          in(steps_key(&Pipeline::steps, "the work").required()),
          list<hook_keys>("hooks", &T::hooks, "what to run when something happens"),
          in(named<output_keys>("pipeline_outputs", &Pipeline::outputs, "what it gives back")),
          in(object<chat_keys>("chat_context", &Pipeline::chat_context,
                               "for a conversation about it")),
          in(skills_key<Pipeline>(&Pipeline::skills)),
          in(key("max_step_visits", &Pipeline::max_step_visits, "with edges: steps run in all")
                 .fallback("50")
                 .parsed_only()),
      });
  return table;
}

}  // namespace wave::model
