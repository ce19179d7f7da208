#include "engine/step_setup.h"

#include <fmt/core.h>

#include <cctype>

#include "agent/agent_files.h"
#include "agent/prompt.h"
#include "base/system_fault.h"
#include "base/text.h"
#include "engine/launch.h"
#include "flow/model_choice.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxVariable = 120 << 10;  // Linux takes 128 KiB with the name (execve(2))

using flow::StepState;

const model::Persona* find_persona(const model::Manifest& manifest, const std::string& name) {
  const auto found = manifest.personas.find(name);
  return found == manifest.personas.end() ? nullptr : &found->second;
}

const model::AdapterConfig* find_config(const model::Manifest& manifest, const std::string& name) {
  const auto found = manifest.adapters.find(name);
  return found == manifest.adapters.end() ? nullptr : &found->second;
}

bool fits_variable(const std::string& input) {
  return input.size() <= model::kMostInputVariable && !input.contains('\0');
}

bool names_variable(std::string_view script, std::string_view name) {
  const auto is_name_char = [&](size_t at) {
    return at < script.size() &&
           (std::isalnum(static_cast<unsigned char>(script[at])) != 0 || script[at] == '_');
  };
  for (size_t at = script.find(name); at != std::string_view::npos;
       at = script.find(name, at + name.size())) {
    if (!is_name_char(at + name.size()) && (at == 0 || !is_name_char(at - 1))) return true;
  }
  return false;
}

// A script would take a variable that is not set for an empty input.
Status check_input_variable(const std::string& input, std::string_view script) {
  if (fits_variable(input) || !names_variable(script, model::kInputVariable)) return {};
  return fail(Code::kLimit,
              fmt::format("{} is not set: it holds up to {} KiB of text, and the input is {} bytes "
                          "long; read the file that {} names",
                          model::kInputVariable, model::kMostInputVariable >> 10, input.size(),
                          model::kInputFileVariable));
}

// Whether this start repeats an attempt that was cut off, and so begins where that one began.
bool repeats(const StepState& state) {
  return state.reason == "interrupted" || state.reason == "resume";
}

Result<std::vector<workspace::Injection>> injections(const RunContext& run,
                                                     const SetupInput& input) {
  std::vector<workspace::Injection> list;
  const auto add = [&](const flow::Artifact& artifact, std::string as, bool is_explicit) {
    list.push_back({.step = artifact.step,
                    .name = artifact.name,
                    .as = std::move(as),
                    .blob = run.store.blob_path(artifact.sha256),
                    .file_name = fs::path(artifact.path).filename().native(),
                    .explicit_injection = is_explicit});
  };
  for (const flow::Artifact& artifact : input.dependency_artifacts) add(artifact, {}, false);
  for (const model::InjectArtifact& wanted : input.step->inject_artifacts) {
    const flow::Artifact* found = nullptr;
    for (const flow::Artifact& artifact : input.values.artifacts()) {
      if (artifact.step == wanted.step && artifact.name == wanted.artifact) found = &artifact;
    }
    if (found != nullptr) {
      add(*found, wanted.as.empty() ? wanted.artifact : wanted.as, true);
      continue;
    }
    if (wanted.optional) continue;
    return fail(Error(Code::kNotFound,
                      fmt::format("step {} needs artifact {} of step {}, which is not there",
                                  input.step->id, wanted.artifact, wanted.step),
                      "mark the injection optional: true, or let that step declare the output")
                    .at(wanted.pos));
  }
  return list;
}

// Tells the step's templates where its inputs lie.
void note_paths(Values& values, const workspace::Prepared& workspace,
                const workspace::InjectionResult& injected) {
  for (const workspace::Injected& placed : injected.placed) {
    const std::string path = (workspace.root / placed.path).native();
    values.set_artifact_path(placed.step + "." + placed.name, path);
    values.set_artifact_path(placed.name, path);
  }
}

std::string script_text(const RunContext& run, const std::string& step,
                        const std::string& persona) {
  std::string text = run.file(".agents/scripts/" + step + ".yaml");
  return text.empty() ? run.file(".agents/scripts/" + persona + ".yaml") : text;
}

Result<process::HostRequest> launch_attempt(const RunContext& run, const SetupInput& input,
                                            const workspace::Prepared& workspace,
                                            agent::LaunchPlan plan, fs::path cwd) {
  hand_over_input(input.values.input(), input.step->id, workspace.root, plan);
  plan.env["WAVE_IDEMPOTENCY_KEY"] = fmt::format("{}/{}/{}.{}", run.run_id, input.step->id,
                                                 input.state.visit, input.state.attempt);
  return launch(run, {.name = launch_name(input.state).text(),
                      .step = input.step->id,
                      .plan = std::move(plan),
                      .files = workspace.root,
                      .cwd = std::move(cwd),
                      .timeout = step_timeout(run, *input.step)});
}

Result<agent::LaunchPlan> plan_command(const RunContext& run, const SetupInput& input,
                                       const workspace::Prepared& workspace,
                                       std::map<std::string, std::string> variables) {
  WAVE_TRY(ShellCommand script, compile_command(input.values, input.step->script, "script"));
  variables.merge(script.variables);
  agent::AgentRequest request;
  request.step = input.step->id;
  request.prompt = std::move(script.text);
  request.workspace = workspace.root;
  request.variables = std::move(variables);
  request.own_environment = run.environment;
  request.env_passthrough = run.manifest().runtime.sandbox.env_passthrough;
  request.attempt = input.state.attempt;
  return agent::find_adapter("command")->plan(request);
}

Result<std::string> task_text(const SetupInput& input) {
  const model::Exec& exec = input.step->exec;
  if (exec.type == model::Exec::Type::kSlashCommand) {
    return exec.args.empty() ? "/" + exec.command : fmt::format("/{} {}", exec.command, exec.args);
  }
  return input.values.render(exec.source);
}

agent::PromptInput prompt_input(const SetupInput& input, const workspace::Injected& placed) {
  agent::PromptInput result{
      .name = placed.name, .path = placed.path, .type = {}, .from_step = placed.step};
  for (const flow::Artifact& artifact : input.values.artifacts()) {
    if (artifact.step == placed.step && artifact.name == placed.name) result.type = artifact.type;
  }
  return result;
}

Result<agent::Prompt> prompt_for(const RunContext& run, const SetupInput& input,
                                 const model::Persona& persona,
                                 const model::EffectivePermissions& permissions,
                                 const workspace::InjectionResult& injected,
                                 const std::vector<workspace::Output>& outputs) {
  agent::PromptRequest request;
  request.manifest = &run.manifest();
  request.persona = &persona;
  request.step = input.step;
  WAVE_TRY(request.task, task_text(input));
  for (const workspace::Output& output : outputs)
    request.outputs.emplace_back(output.name, output.path);
  for (const workspace::Injected& placed : injected.placed) {
    request.inputs.push_back(prompt_input(input, placed));
  }
  for (const model::Contract& contract : input.step->contracts) {
    WAVE_TRY(std::string command, input.values.render(contract.command));
    request.contract_commands.push_back(std::move(command));
  }
  request.permissions = permissions;
  request.run_id = run.run_id;
  request.attempt = input.state.attempt;
  request.max_attempts = input.step->retry.max_attempts;
  request.failure = input.state.failure;
  request.resumed_from_checkpoint = repeats(input.state);
  if (input.reworked) {
    request.rework_of = input.reworked->id;
    request.failure = input.reworked->failure;
    for (const flow::Artifact& artifact : input.reworked->artifacts) {
      request.rework_artifacts.push_back(artifact.path);
    }
  }
  return agent::assemble_prompt(request);
}

struct PersonaPlan {
  agent::LaunchPlan plan;
  const agent::Adapter* adapter = nullptr;
  std::string model, prompt;
};

Result<PersonaPlan> plan_persona(const RunContext& run, const SetupInput& input,
                                 const workspace::Prepared& workspace,
                                 const workspace::InjectionResult& injected,
                                 const std::vector<workspace::Output>& outputs) {
  WAVE_TRY(const std::string persona_name, input.values.render(input.step->persona));
  const model::Persona* persona = find_persona(run.manifest(), persona_name);
  if (persona == nullptr) {
    return fail(Error(Code::kInvalidManifest,
                      fmt::format("there is no persona \"{}\"", persona_name),
                      "define it in wave.yaml or .agents/personas")
                    .at(input.step->pos));
  }
  const flow::ModelChoice choice = flow::choose_model(run.manifest(), *input.step, persona,
                                                      run.state.options, input.state.attempt);
  const agent::Adapter* adapter = agent::find_adapter(choice.adapter);
  const model::AdapterConfig* config = find_config(run.manifest(), choice.adapter);
  if (adapter == nullptr || config == nullptr) {
    return fail(Code::kUnsupported, fmt::format("adapter \"{}\" is not there", choice.adapter),
                "this version has claude and scripted");
  }
  const auto permissions = model::effective_permissions(*config, *persona, input.step->permissions);
  WAVE_CHECK(adapter->check(permissions));
  WAVE_TRY(const agent::Prompt prompt,
           prompt_for(run, input, *persona, permissions, injected, outputs));

  agent::AgentRequest request;
  request.config = config;
  request.step = input.step->id;
  request.persona = persona_name;
  request.prompt = prompt.user;
  request.system_prompt = prompt.system;
  request.script = script_text(run, input.step->id, persona_name);
  request.model = choice.model;
  request.permissions = permissions;
  request.workspace = workspace.root;
  show_project(run, request);
  request.session_id = make_uuid(run.random);
  request.variables = injected.environment;
  request.own_environment = run.environment;
  request.env_passthrough = run.manifest().runtime.sandbox.env_passthrough;
  request.attempt = input.state.attempt;
  PersonaPlan result{.plan = {}, .adapter = adapter, .model = choice.model, .prompt = prompt.user};
  WAVE_TRY(result.plan, adapter->plan(request));
  return result;
}

// A run that was made from another one begins with the work that its origin's steps left in this
// worktree.
Status carry_over(const RunContext& run, const SetupInput& input,
                  const workspace::Prepared& workspace) {
  if (!workspace.created || !workspace.is_worktree || input.carried_commit.empty()) return {};
  return run.world.restore(workspace, input.carried_commit);
}

// An attempt that was cut off begins where it began; any other leaves a mark of where it began.
Status mark_or_restore_start(const RunContext& run, const SetupInput& input,
                             const workspace::Prepared& workspace,
                             std::vector<StepSetup::Warning>& warnings) {
  if (!workspace.is_worktree) return {};
  // What the attempt before this one left when it was killed would block this one's git.
  const bool worked_here = !input.state.workspace.empty();
  if (worked_here && !input.shares_workspace_now) WAVE_CHECK(run.world.remove_locks(workspace));
  const std::string ref = checkpoint_ref(run.run_id, input.state, true);
  if (repeats(input.state) && !input.shares_workspace_now) {
    WAVE_TRY(const auto start, run.world.resolve(workspace, ref + "^{commit}"));
    if (start) return run.world.restore(workspace, *start);
  }
  const auto saved = run.world.checkpoint(workspace, ref, "wave: before " + input.step->id);
  if (saved && *saved && !(*saved)->left_out.empty()) {
    warnings.push_back({"checkpoint_incomplete", left_out_text(**saved)});
  }
  if (saved) return {};
  const bool passes = is_shortage(saved.error()) || saved.error().code == Code::kInterrupted;
  if (passes) return fail(saved.error());
  // Better without a way back to here than not at all.
  warnings.push_back(
      {"checkpoint_skipped", "if this attempt is cut off, the next one begins with what it left: " +
                                 full_message(saved.error())});
  return {};
}

}  // namespace

std::string left_out_text(const workspace::Checkpoint& checkpoint) {
  constexpr size_t kNamed = 10;
  const std::vector<std::string>& files = checkpoint.left_out;
  if (files.empty()) return {};
  std::vector<std::string> some(
      files.begin(), files.begin() + static_cast<std::ptrdiff_t>(std::min(files.size(), kNamed)));
  for (std::string& file : some) file = to_valid_utf8(file);
  return fmt::format(
      "the checkpoint leaves out {}{}", join(some, ", "),
      files.size() > kNamed ? fmt::format(" and {} more", files.size() - kNamed) : "");
}

// The newest checkpoint that an origin's step left of the same branch.
std::string carried_commit(const RunContext& run, const model::Step& step) {
  std::string commit;
  for (const StepState& other : run.state.steps) {
    if (other.reason != "forked" || other.checkpoint_commit.empty()) continue;
    const model::Workspace& worked_in = run.step(other.id).workspace;
    if (worked_in.kind != step.workspace.kind) continue;
    if (worked_in.branch.source() == step.workspace.branch.source())
      commit = other.checkpoint_commit;
  }
  return commit;
}

void hand_over_input(const std::string& input, const std::string& step, const fs::path& workspace,
                     agent::LaunchPlan& plan) {
  agent::AgentRequest request;
  request.step = step;
  const std::string file = agent::agent_file(request, "input");
  plan.files[file] = input;
  plan.env[std::string(model::kInputFileVariable)] = (workspace / file).native();
  if (fits_variable(input)) plan.env[std::string(model::kInputVariable)] = input;
}

void show_project(const RunContext& run, agent::AgentRequest& request) {
  const fs::path& project = run.paths.project;
  request.project = project;
  request.hidden = {run.paths.state(), project / run.manifest().runtime.workspace_root};
  for (const char* own : {".agents/state", ".agents/workspaces", ".agents/tls"}) {
    request.hidden.push_back(project / own);
  }
}

Result<ShellCommand> compile_command(const Values& values, const model::Template& text,
                                     std::string_view key) {
  model::Diagnostics problems;
  const model::Script script = model::compile_script(
      text,
      [&](const model::Expression& e) {
        const auto value = values.get(e);
        return value ? *value : std::string();
      },
      key, problems);
  if (model::has_errors(problems)) {
    return fail(Error(Code::kTemplate, problems.front().message, problems.front().hint)
                    .at(problems.front().pos));
  }
  WAVE_CHECK(check_input_variable(values.input(), script.text));
  ShellCommand command{.text = script.text, .variables = {}};
  for (const auto& [name, expression] : script.variables) {
    WAVE_TRY(command.variables[name], values.get(expression));
    if (command.variables[name].size() > kMaxVariable) {
      return fail(Error(Code::kLimit,
                        fmt::format("{{{{ {} }}}} is {} bytes long", expression.text,
                                    command.variables[name].size()),
                        "a variable of a program holds at most 128 KiB: hand it over as a file")
                      .at(expression.pos));
    }
  }
  return command;
}

LaunchName launch_name(const flow::StepState& state, std::string purpose) {
  LaunchName name{.step = state.id, .visit = state.visit, .attempt = state.attempt, .purpose = {}};
  if (repeats(state)) name.purpose = fmt::format("again-{}", state.restarts);
  if (!purpose.empty()) name.purpose += name.purpose.empty() ? purpose : "-" + purpose;
  return name;
}

std::string checkpoint_ref(const std::string& run_id, const flow::StepState& state, bool at_start) {
  return fmt::format("refs/wave/{}/{}/{}.{}{}", run_id, state.id, state.visit, state.attempt,
                     at_start ? "-start" : "");
}

SetupInput setup_input(const RunContext& run, const model::Step& step, const StepState& state) {
  SetupInput input{.step = &step, .state = state, .values = Values(run, step.id)};
  const auto add_artifacts = [&](const StepState& from) {
    input.dependency_artifacts.insert(input.dependency_artifacts.end(), from.artifacts.begin(),
                                      from.artifacts.end());
  };
  const auto add_dependencies = [&](const model::Step& of) {
    for (const std::string& dependency : of.dependencies) {
      if (const StepState* from = run.state.find(dependency)) add_artifacts(*from);
    }
  };
  add_dependencies(step);
  if (!state.rework_for.empty()) {
    if (const StepState* reworked = run.state.find(state.rework_for)) {
      input.reworked = *reworked;
      add_dependencies(run.step(state.rework_for));
      add_artifacts(*reworked);
    }
  }
  if (step.workspace.kind == model::Workspace::Kind::kRef) {
    if (const StepState* from = run.state.find(step.workspace.ref))
      input.ref_workspace = from->workspace;
  }
  input.carried_commit = carried_commit(run, step);
  for (const StepState& other : run.state.steps) {
    input.shares_workspace_now |= other.id != state.id && !other.workspace.empty() &&
                                  other.workspace == state.workspace &&
                                  other.status == flow::StepStatus::kRunning;
  }
  return input;
}

Result<workspace::Prepared> prepare_workspace(const RunContext& run, const SetupInput& input) {
  WAVE_CHECK(run.inheritance->settle(run.world, run.manifest().runtime.workspace_root, run.run_id,
                                     input.interrupt));
  const model::Step& step = input.work_of != nullptr ? *input.work_of : *input.step;
  workspace::Request request;
  request.project = run.paths.project;
  request.workspace_root = run.manifest().runtime.workspace_root;
  request.run_id = run.run_id;
  request.step = step.id;
  request.kind = step.workspace.kind;
  request.ref_workspace = input.ref_workspace;
  for (const model::Mount& mount : step.workspace.mounts) {
    WAVE_TRY(std::string source, input.values.render(mount.source));
    WAVE_TRY(std::string target, input.values.render(mount.target));
    request.mounts.push_back({std::move(source), std::move(target), mount.readonly});
  }
  WAVE_TRY(request.branch, input.values.render(step.workspace.branch));
  WAVE_TRY(request.base, input.values.render(step.workspace.base));
  request.stop = input.interrupt;
  return run.world.prepare_workspace(request);
}

Result<std::vector<workspace::Output>> declared_outputs(const model::Step& step,
                                                        const Values& values) {
  std::vector<workspace::Output> outputs;
  for (const model::OutputArtifact& output : step.output_artifacts) {
    if (output.from_stdout) continue;
    WAVE_TRY(std::string path, values.render(output.path));
    outputs.push_back(
        {.name = output.name, .path = std::move(path), .type = output.type, .fallback_text = {}});
  }
  return outputs;
}

Result<StepSetup> set_up_step(const RunContext& run, const SetupInput& input) {
  StepSetup setup;
  WAVE_TRY(setup.workspace, prepare_workspace(run, input));
  WAVE_CHECK(carry_over(run, input, setup.workspace));
  WAVE_CHECK(mark_or_restore_start(run, input, setup.workspace, setup.warnings));
  WAVE_TRY(const auto to_inject, injections(run, input));
  workspace::InjectionResult injected;
  if (!to_inject.empty()) {
    WAVE_TRY(injected, run.world.inject(setup.workspace, to_inject));
  }
  for (const std::string& warning : injected.warnings) {
    setup.warnings.push_back({"artifact_collision", warning});
  }
  SetupInput placed = input;
  note_paths(placed.values, setup.workspace, injected);
  WAVE_TRY(const auto outputs, declared_outputs(*input.step, placed.values));
  if (!outputs.empty()) WAVE_CHECK(run.world.clear_outputs(setup.workspace, outputs));

  if (input.step->kind == model::StepKind::kCommand) {
    setup.adapter = agent::find_adapter("command");
    WAVE_TRY(agent::LaunchPlan plan,
             plan_command(run, placed, setup.workspace, injected.environment));
    WAVE_TRY(setup.host,
             launch_attempt(run, input, setup.workspace, std::move(plan), setup.workspace.cwd));
    return setup;
  }
  WAVE_TRY(PersonaPlan persona, plan_persona(run, placed, setup.workspace, injected, outputs));
  setup.adapter = persona.adapter;
  setup.model = persona.model;
  setup.prompt_text = std::move(persona.prompt);
  WAVE_TRY(setup.host, launch_attempt(run, input, setup.workspace, std::move(persona.plan),
                                      setup.workspace.root));
  return setup;
}

}  // namespace wave::engine
