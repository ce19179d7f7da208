// Everything between "this attempt starts" and "the process runs": workspace, artifacts, prompt,
// launch plan.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/run_context.h"
#include "engine/values.h"

namespace wave::engine {

/// What the set-up needs to know of the run's state; taken on the loop thread.
struct SetupInput {
  const model::Step* step = nullptr;
  flow::StepState state;
  Values values;
  std::vector<flow::Artifact>
      dependency_artifacts;                 // of direct dependencies (and the reworked step)
  std::string ref_workspace;                // kRef: where that step worked, relative to the project
  std::optional<flow::StepState> reworked;  // the step that this one repairs
  const model::Step* work_of = nullptr;     // whose workspace holds the work; nullptr: its own
  std::string carried_commit;               // of a forked run: what its worktree begins with
  bool shares_workspace_now = false;  // another step works in the same worktree at this moment
  std::stop_token interrupt{};        // ends git and deletions early
};
SetupInput setup_input(const RunContext& run, const model::Step& step,
                       const flow::StepState& state);

/// A shell line whose run values are environment variables.
struct ShellCommand {
  std::string text;
  std::map<std::string, std::string> variables;
};
Result<ShellCommand> compile_command(const Values& values, const model::Template& text,
                                     std::string_view key);
/// Gives a program of the step the run's input: always as a file, and as a variable where it fits.
void hand_over_input(const std::string& input, const std::string& step, const fs::path& workspace,
                     agent::LaunchPlan& plan);
/// Lets an agent of the run read the project's checkout, and hides what of it is wave's.
void show_project(const RunContext& run, agent::AgentRequest& request);
/// The checkpoint that the worktree of a step of a forked run begins with; empty if there is none.
std::string carried_commit(const RunContext& run, const model::Step& step);

/// A step ready to be launched.
struct StepSetup {
  workspace::Prepared workspace;
  process::HostRequest host;
  const agent::Adapter* adapter = nullptr;
  std::string model;
  std::string prompt_text;  // what the agent is asked, for its record
  struct Warning {
    std::string code, message;
  };
  std::vector<Warning> warnings;
};

/// What a checkpoint does not hold, for whoever reads the run's log; empty: it holds everything.
std::string left_out_text(const workspace::Checkpoint& checkpoint);

/// Where the step works; nothing but the folders is touched. (pool)
Result<workspace::Prepared> prepare_workspace(const RunContext& run, const SetupInput& input);
/// The whole set-up. Repeatable. (pool)
Result<StepSetup> set_up_step(const RunContext& run, const SetupInput& input);
/// The folder of the attempt's process.
LaunchName launch_name(const flow::StepState& state, std::string purpose = {});
/// The declared outputs of a step with their paths rendered.
Result<std::vector<workspace::Output>> declared_outputs(const model::Step& step,
                                                        const Values& values);
/// Name of the ref that holds the state of a worktree when an attempt began, or ended.
std::string checkpoint_ref(const std::string& run_id, const flow::StepState& state, bool at_start);

}  // namespace wave::engine
