// Keeps what a step left in its worktree, under a ref of wave's own.
#include "engine/operation.h"
#include "engine/progress.h"
#include "engine/step_setup.h"

namespace wave::engine {
namespace {

class MakeCheckpoint final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    const flow::StepState* state = run_->state.find(operation_.step);
    auto input =
        std::make_shared<SetupInput>(setup_input(*run_, run_->step(operation_.step), *state));
    input->interrupt = interrupt();
    progress_.begin(run_->loop, [this](Millis so_far) { say(so_far); });
    on_pool_with_disk(
        [run = run_, input]() -> Result<std::optional<workspace::Checkpoint>> {
          WAVE_TRY(const workspace::Prepared prepared, prepare_workspace(*run, *input));
          return run->world.checkpoint(prepared, checkpoint_ref(run->run_id, input->state, false),
                                       "wave: after " + input->step->id);
        },
        [this](const Result<std::optional<workspace::Checkpoint>>& made) { end(made); });
  }
  void detach() override {
    ActiveOperation::detach();
    progress_.end();
  }

 private:
  void say(Millis so_far) {
    report({.events = {event(flow::Kind::kStreamActivity,
                             progress_data("keeping the worktree's content", so_far))},
            .ended = false});
  }
  void work_ended() override { progress_.end(); }
  void end(const Result<std::optional<workspace::Checkpoint>>& made) {
    std::vector<flow::Event> events;
    json::object data;
    if (!made) {
      // A step's work is not lost for want of a checkpoint; but it is said.
      data["skipped"] = true;
      data["message"] = run_->redactor.redact(full_message(made.error()));
    } else if (!*made) {
      data["skipped"] = true;
      data["message"] = "not a git workspace";
    } else {
      data["ref"] = (*made)->ref;
      data["commit"] = (*made)->commit;
      if (std::string text = left_out_text(**made); !text.empty()) {
        text = run_->redactor.redact(text);
        data["message"] = text;
        events.push_back(event(flow::Kind::kWarningRaised,
                               {{"code", "checkpoint_incomplete"}, {"message", text}}));
      }
    }
    events.push_back(event(flow::Kind::kCheckpointCreated, std::move(data)));
    report_end(std::move(events));
  }

  Progress progress_;
};

}  // namespace

std::shared_ptr<ActiveOperation> make_checkpoint(std::shared_ptr<RunContext> run,
                                                 const flow::Operation& operation,
                                                 ActiveOperation::Reporter reporter) {
  return std::make_shared<MakeCheckpoint>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
