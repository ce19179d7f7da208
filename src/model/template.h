// Texts with {{ placeholders }}, parsed once into typed expressions. A value that is put in is
// never scanned again. wave-model.md 2.6 lists the variables.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "model/diagnostic.h"

namespace wave::model {

enum class Variable {
  kInput,          // {{ input }}
  kPipelineId,     // pipeline_id, run.id, pipeline_context.pipeline_id
  kPipelineName,   // pipeline_name, run.name, pipeline_context.pipeline_name
  kStepId,         // step_id, pipeline_context.step_id
  kBranchName,     // branch_name, pipeline_context.branch_name
  kFeatureNum,     // feature_num, pipeline_context.feature_num
  kArtifactPath,   // artifacts.<name>, artifacts.<step>.<name>, deps.<step>.<name>: path[0..]
  kProject,        // project.<key>, project.services.<n>.<key>: a value of the manifest
  kForge,          // forge.{type,host,owner,repo,cli_tool,prefix,pr_term,pr_command}
  kGate,           // gate.<step>.{choice,key,text,timestamp,target}
  kEnv,            // env.<k>: the child configuration's environment
  kStepOutput,     // <step>.out.<name>[.path], steps.<id>.artifacts.<name>[.path]: content
  kStepAnyOutput,  // <step>.output[.path], steps.<id>.output[.path]: content of the first artifact
  kItem,           // item[.path] (iterate, matrix: task)
  kIteration,      // iteration
};

/// One placeholder. `path` holds the names behind the variable: {"plan", "spec"} for
/// artifacts.plan.spec; `json_path` what follows an output or item (".a.b[0]").
struct Expression {
  Variable variable = Variable::kInput;
  std::vector<std::string> path;
  std::string json_path;
  std::string text;  // as written, without the braces, trimmed
  SourcePos pos;

  friend bool operator==(const Expression&, const Expression&) = default;
};

/// A parsed text: literals and expressions in turn.
struct Template {
  using Part = std::variant<std::string, Expression>;
  std::vector<Part> parts;

  [[nodiscard]] bool empty() const { return parts.empty(); }
  [[nodiscard]] bool is_literal() const;
  /// The text of a literal template (the concatenation of its literals).
  [[nodiscard]] std::string literal() const;
  [[nodiscard]] std::vector<const Expression*> expressions() const;
  /// As it was written.
  [[nodiscard]] std::string source() const;
};

/// Which names a template may use; anything else is an error with a position.
struct TemplateScope {
  std::set<std::string> steps;       // ids of the pipeline's steps
  std::set<std::string> artifacts;   // names reachable as artifacts.<name>: "spec", "plan.spec"
  std::set<std::string> open_steps;  // steps whose artifacts are not known here (sub-pipelines)
  std::set<std::string> project;     // keys below project, set or not ("test_command", ...)
  bool items = false;                // item, task and iteration are defined
  bool any_env = true;               // env.<k> with any k
};

/// Parses `text`, which starts at `pos` of a file. Problems are added to `diagnostics` and the
/// placeholder becomes a literal; the result is always usable.
Template parse_template(std::string_view text, const SourcePos& pos, std::string_view key,
                        const TemplateScope& scope, Diagnostics& diagnostics);

/// Gives the value of an expression.
using Resolver = std::function<Result<std::string>(const Expression&)>;

/// Puts the values in. Errors carry the placeholder's position.
Result<std::string> render(const Template& text, const Resolver& resolve);

/// A script whose run values (input, artifacts, gate text, environment) are environment variables:
/// nothing a user or agent typed is ever shell code.
struct Script {
  std::string text;                                           // with "$WAVE_T1" and so on in place
  std::vector<std::pair<std::string, Expression>> variables;  // WAVE_T1 -> what it stands for
};

/// The run's input in the environment of scripts, up to kMostInputVariable bytes, and the file that
/// always has it.
inline constexpr std::string_view kInputVariable = "WAVE_INPUT";
inline constexpr std::string_view kInputFileVariable = "WAVE_INPUT_FILE";
inline constexpr size_t kMostInputVariable = 100 << 10;

/// Turns a script template into a Script. `manifest_value` gives values of the manifest, which are
/// inserted as code. A placeholder that stands bare becomes "$WAVE_Tn" in quotes; inside double
/// quotes $WAVE_Tn; inside single quotes '"$WAVE_Tn"'. Elsewhere (heredoc, command substitution,
/// backquotes, comment, arithmetic) it is an error with its position, and so is a value that
/// somebody typed where a program takes it for code (model/evaluators.h).
Script compile_script(const Template& text,
                      const std::function<std::string(const Expression&)>& manifest_value,
                      std::string_view key, Diagnostics& diagnostics);

}  // namespace wave::model
