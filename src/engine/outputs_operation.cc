// Looks for what a step was to produce, and stores it.
#include <fmt/core.h>

#include "base/text.h"
#include "engine/launch.h"
#include "engine/operation.h"
#include "engine/step_setup.h"

namespace wave::engine {
namespace {

using flow::Kind;

struct Collected {
  std::vector<flow::Artifact> artifacts;
  std::vector<std::string> missing_required;
  bool has_tree = false, changed_tree = false;
  std::optional<Error> lacking;  // why the missing ones could not be written
};

class CollectOutputs final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    const flow::StepState* state = run_->state.find(operation_.step);
    auto input =
        std::make_shared<SetupInput>(setup_input(*run_, run_->step(operation_.step), *state));
    input->interrupt = interrupt();
    on_pool_with_disk([run = run_, input] { return collect(*run, *input); },
                      [this](Result<Collected> collected) { end(std::move(collected)); });
  }

 private:
  static Result<Collected> collect(const RunContext& run, const SetupInput& input);
  void end(Result<Collected> collected);
};

// The text a step printed: a command's stdout, an agent's last words.
Result<std::string> printed_text(const RunContext& run, const SetupInput& input) {
  const auto dir = run.paths.run(run.run_id) / launch_name(input.state).text();
  const uint64_t limit = run.manifest().runtime.artifacts.max_stdout_size;
  if (input.step->kind == model::StepKind::kCommand) {
    auto text = read_file(dir / "out", limit);
    if (!text && text.error().code == Code::kLimit) {
      return fail(Code::kLimit,
                  fmt::format("stdout of step {} is larger than {} bytes", input.step->id, limit),
                  "raise runtime.artifacts.max_stdout_size, or write a file instead");
    }
    return text;
  }
  const agent::Adapter* adapter = agent::find_adapter(input.state.adapter);
  if (adapter == nullptr) return std::string();
  const auto parser = adapter->parser();
  std::vector<agent::Activity> ignored;
  uint64_t offset = 0;
  while (true) {
    WAVE_TRY(const std::string bytes, read_range(dir / "out", offset, 1 << 20));
    if (bytes.empty()) break;
    parser->feed_out(bytes, ignored);
    ignored.clear();
    offset += bytes.size();
  }
  return parser->finish({}, ignored).final_text;
}

// A script that takes no notice of a write that fails leaves nothing but the missing file.
std::optional<Error> lack_of_disk(const RunContext& run, const SetupInput& input) {
  const auto exit = process::read_exit(launch_folder(run, launch_name(input.state).text()));
  return disk_shortage(run.world, exit && *exit ? **exit : process::HostExit{});
}

// Whether the worktree differs from what it was when the attempt began. Where git cannot tell, it
// may: that is no reason for the step to fail.
Result<bool> tree_changed(const RunContext& run, const SetupInput& input,
                          const workspace::Prepared& prepared) {
  const auto now = run.world.tree_id(prepared);
  const auto before =
      run.world.resolve(prepared, checkpoint_ref(run.run_id, input.state, true) + "^{tree}");
  for (const auto* answer : {&now, &before}) {
    if (*answer) continue;
    const Error& error = answer->error();
    if (is_shortage(error) || error.code == Code::kInterrupted) return fail(error);
    return true;
  }
  return *now != *before;
}

Result<Collected> CollectOutputs::collect(const RunContext& run, const SetupInput& input) {
  Collected collected;
  WAVE_TRY(const workspace::Prepared prepared, prepare_workspace(run, input));
  WAVE_TRY(std::vector<workspace::Output> outputs, declared_outputs(*input.step, input.values));
  if (!outputs.empty() && input.step->kind == model::StepKind::kPersona) {
    WAVE_TRY(const std::string said, printed_text(run, input));
    for (workspace::Output& output : outputs) output.fallback_text = said;
  }
  std::vector<workspace::CollectedFile> files;
  if (!outputs.empty()) {
    WAVE_TRY(files, run.world.collect(prepared, input.step->id, outputs));
  }
  const auto relative = [&](const fs::path& path) {
    return path.lexically_relative(run.paths.project).native();
  };
  for (const model::OutputArtifact& declared : input.step->output_artifacts) {
    flow::Artifact artifact{.step = input.step->id, .name = declared.name, .type = declared.type};
    if (declared.from_stdout) {
      WAVE_TRY(const std::string text, printed_text(run, input));
      WAVE_TRY(artifact.sha256, run.store.put_blob(text));
      artifact.size = static_cast<int64_t>(text.size());
      artifact.path =
          relative(prepared.root / run.manifest().runtime.artifacts.default_artifact_dir /
                   input.step->id / declared.name);
      const auto inside = fs::path(run.manifest().runtime.artifacts.default_artifact_dir) /
                          input.step->id / declared.name;
      WAVE_CHECK(run.world.write_file(prepared.root, inside.native(), text));
      collected.artifacts.push_back(std::move(artifact));
      continue;
    }
    const auto file = std::ranges::find(files, declared.name, &workspace::CollectedFile::name);
    if (file == files.end() || file->missing) {
      if (declared.required) collected.missing_required.push_back(declared.name);
      continue;
    }
    artifact.path = relative(file->path);
    std::error_code error;
    artifact.size = static_cast<int64_t>(fs::file_size(file->path, error));
    if (error) return fail(errno_error(error.value(), "cannot look at", file->path.native()));
    WAVE_TRY(artifact.sha256, run.store.put_blob_file(file->path));
    collected.artifacts.push_back(std::move(artifact));
  }
  if (!collected.missing_required.empty()) collected.lacking = lack_of_disk(run, input);
  collected.has_tree = prepared.is_worktree;
  if (prepared.is_worktree) {
    WAVE_TRY(collected.changed_tree, tree_changed(run, input, prepared));
  }
  return collected;
}

void CollectOutputs::end(Result<Collected> collected) {
  std::vector<flow::Event> events;
  json::object data;
  if (!collected) {
    data["failure_class"] = flow::to_string(flow::FailureClass::kDeterministic);
    data["message"] = run_->redactor.redact(full_message(collected.error()));
    data["code"] = code_name(collected.error().code);
    collected = Collected{};
  }
  if (collected->lacking && may_wait()) {
    return report_end(
        {event(Kind::kStepInterrupted,
               {{"reason", flow::kWaitsForDisk},
                {"message", run_->redactor.redact(full_message(*collected->lacking))}})});
  }
  for (const flow::Artifact& artifact : collected->artifacts) {
    events.push_back(event(Kind::kArtifactCreated, flow::to_json(artifact)));
  }
  if (!collected->missing_required.empty()) data["missing"] = to_array(collected->missing_required);
  data["has_tree"] = collected->has_tree;
  data["changed_tree"] = collected->changed_tree;
  events.push_back(event(Kind::kOutputsCollected, std::move(data)));
  report_end(std::move(events));
}

}  // namespace

std::shared_ptr<ActiveOperation> make_collect_outputs(std::shared_ptr<RunContext> run,
                                                      const flow::Operation& operation,
                                                      ActiveOperation::Reporter reporter) {
  return std::make_shared<CollectOutputs>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
