// Opens a gate: renders what is asked, and says who may answer what until when.
#include <fmt/core.h>

#include "base/text.h"
#include "engine/operation.h"
#include "engine/values.h"

namespace wave::engine {
namespace {

constexpr size_t kMaxPrompt = 16 << 10;

class OpenGate final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    report_end({flow::gate_waiting(run_->program, run_->state, operation_, prompt())});
  }

 private:
  [[nodiscard]] std::string prompt() const;
};

std::string OpenGate::prompt() const {
  if (operation_.purpose == "interrupt") {
    return fmt::format("Step {} was interrupted. Run it again?", operation_.step);
  }
  const model::Gate& gate = *run_->step(operation_.step).gate;
  const model::Template& text = gate.prompt.empty() ? gate.message : gate.prompt;
  // A gate asks even if a value of its text is missing: nobody should wait for ever on a typo.
  const auto rendered = Values(*run_, operation_.step).render(text);
  const std::string words =
      rendered ? *rendered : text.source() + "\n(" + rendered.error().message + ")";
  if (words.empty()) return fmt::format("Continue at {}?", operation_.step);
  return excerpt(run_->redactor.redact(words), kMaxPrompt);
}

}  // namespace

std::shared_ptr<ActiveOperation> make_open_gate(std::shared_ptr<RunContext> run,
                                                const flow::Operation& operation,
                                                ActiveOperation::Reporter reporter) {
  return std::make_shared<OpenGate>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
