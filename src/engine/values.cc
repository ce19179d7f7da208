#include "engine/values.h"

#include <fmt/core.h>

#include "base/text.h"

namespace wave::engine {
namespace {

std::unexpected<Error> no_value(const model::Expression& expression, std::string_view why) {
  return fail(
      Error(Code::kTemplate, fmt::format("{{{{ {} }}}} has no value: {}", expression.text, why))
          .at(expression.pos));
}

// "123-add-login" belongs to feature 123.
std::string feature_number(const std::string& branch) {
  const size_t digits = branch.find_first_not_of("0123456789");
  return digits == 3 && branch[3] == '-' ? branch.substr(0, 3) : std::string();
}

}  // namespace

Values::Values(const RunContext& run, std::string step)
    : store_(run.store),
      manifest_(run.manifest()),
      run_id_(run.run_id),
      pipeline_(run.program.project.pipeline.name),
      step_(std::move(step)),
      input_(run.state.options.input),
      branch_(get_string(run.snapshot.facts, "branch")),
      project_(run.paths.project.native()),
      forge_(get_object(run.snapshot.facts, "forge")) {
  for (const flow::StepState& state : run.state.steps) {
    artifacts_.insert(artifacts_.end(), state.artifacts.begin(), state.artifacts.end());
    if (state.gate && state.gate->resolved) gates_.emplace(state.id, *state.gate);
  }
}

Result<std::string> Values::render(const model::Template& text) const {
  return model::render(text, [this](const model::Expression& e) { return get(e); });
}

Result<std::string> Values::get(const model::Expression& expression) const {
  using model::Variable;
  switch (expression.variable) {
    case Variable::kInput:
      return input_;
    case Variable::kPipelineId:
      return run_id_;
    case Variable::kPipelineName:
      return pipeline_;
    case Variable::kStepId:
      return step_;
    case Variable::kBranchName:
      return branch_;
    case Variable::kFeatureNum:
      return feature_number(branch_);
    case Variable::kArtifactPath:
      return artifact_path(expression);
    case Variable::kProject:
      return model::project_value(manifest_, expression);
    case Variable::kForge:
      return std::string(expression.path.empty() ? std::string_view()
                                                 : get_string(forge_, expression.path.front()));
    case Variable::kGate:
      return gate_value(expression);
    case Variable::kStepOutput:
    case Variable::kStepAnyOutput:
      return step_output(expression);
    case Variable::kEnv:
      return no_value(expression, "this run is no child of another pipeline");
    case Variable::kItem:
    case Variable::kIteration:
      return no_value(expression, "nothing is iterated here");
  }
  return no_value(expression, "it is unknown");
}

const flow::Artifact* Values::find_artifact(const std::string& step,
                                            const std::string& name) const {
  const flow::Artifact* found = nullptr;
  for (const flow::Artifact& artifact : artifacts_) {
    const bool step_matches = step.empty() || artifact.step == step;
    if (step_matches && (name.empty() || artifact.name == name)) {
      found = &artifact;
      if (name.empty()) break;  // "any output" means the first
    }
  }
  return found;
}

Result<std::string> Values::artifact_path(const model::Expression& expression) const {
  const std::string key = join(expression.path, ".");
  if (const auto placed = paths_.find(key); placed != paths_.end()) return placed->second;
  const bool qualified = expression.path.size() == 2;
  const flow::Artifact* artifact =
      find_artifact(qualified ? expression.path[0] : "", expression.path.back());
  if (artifact == nullptr) return no_value(expression, "no step has produced that artifact");
  return project_ + "/" + artifact->path;
}

Result<std::string> Values::step_output(const model::Expression& expression) const {
  if (expression.path.empty()) return no_value(expression, "it names no step");
  const std::string name = expression.path.size() > 1 ? expression.path[1] : std::string();
  const flow::Artifact* artifact = find_artifact(expression.path[0], name);
  if (artifact == nullptr) return no_value(expression, "no step has produced that artifact");
  WAVE_TRY(std::string content, store_.blob(artifact->sha256));
  if (expression.json_path.empty()) {
    // What a command printed ends with a newline that nobody means in a comparison or a branch
    // name.
    if (content.ends_with('\n')) content.pop_back();
    return content;
  }
  const auto value = parse_json(content);
  if (!value) return no_value(expression, "the artifact is not JSON: " + value.error().message);
  const auto part = json_path(*value, expression.json_path);
  if (!part) return no_value(expression, part.error().message);
  return json_to_text(*part);
}

Result<std::string> Values::gate_value(const model::Expression& expression) const {
  if (expression.path.size() != 2) return no_value(expression, "write gate.<step>.choice");
  const auto gate = gates_.find(expression.path[0]);
  if (gate == gates_.end()) return no_value(expression, "that gate has not been decided");
  const std::string& field = expression.path[1];
  if (field == "choice") return gate->second.label;
  if (field == "key") return gate->second.choice;
  if (field == "text") return gate->second.text;
  if (field == "target") return gate->second.target;
  if (field == "timestamp" && gate->second.decided_at) return format_time(*gate->second.decided_at);
  return no_value(expression, "a gate has choice, key, text, timestamp and target");
}

}  // namespace wave::engine
