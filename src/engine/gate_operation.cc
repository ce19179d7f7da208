// Opens a gate: renders what is asked, and says who may answer what until when.
#include <fmt/core.h>

#include "base/text.h"
#include "engine/operation.h"
#include "engine/values.h"

namespace wave::engine {
namespace {

json::value choice(std::string_view key, std::string_view label, std::string_view target) {
  return json::object{{"key", key}, {"label", label}, {"target", target}};
}

class OpenGate final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    json::object data =
        operation_.purpose == "interrupt" ? ask_after_interrupt() : ask(run_->step(operation_.step));
    report_end({event(flow::Kind::kGateWaiting, std::move(data))});
  }

 private:
  [[nodiscard]] json::object ask(const model::Step& step) const;
  [[nodiscard]] json::object ask_after_interrupt() const;
  [[nodiscard]] json::array choices(const model::Gate& gate) const;
  [[nodiscard]] std::string prompt(const model::Step& step) const;
};

json::array OpenGate::choices(const model::Gate& gate) const {
  json::array list;
  for (const model::GateChoice& one : gate.choices) list.push_back(choice(one.key, one.label, one.target));
  // Without choices of its own an approval asks the plain question.
  if (list.empty() && gate.type == model::Gate::Type::kApproval) {
    list.push_back(choice("a", "Approve", ""));
    list.push_back(choice("r", "Reject", "_fail"));
  }
  return list;
}

std::string OpenGate::prompt(const model::Step& step) const {
  const model::Gate& gate = *step.gate;
  const model::Template& text = gate.prompt.empty() ? gate.message : gate.prompt;
  // A gate asks even if a value of its text is missing: nobody should wait for ever on a typo.
  const auto rendered = Values(*run_, step.id).render(text);
  if (!rendered) return text.source() + "\n(" + rendered.error().message + ")";
  return rendered->empty() ? fmt::format("Continue after {}?", step.id) : *rendered;
}

json::object OpenGate::ask(const model::Step& step) const {
  const model::Gate& gate = *step.gate;
  json::object data{{"gate_id", fmt::format("{}.{}", step.id, operation_.visit)},
                    {"purpose", "gate"},
                    {"type", gate.type == model::Gate::Type::kTimer ? "timer" : "approval"},
                    {"prompt", excerpt(run_->redactor.redact(prompt(step)), 16 << 10)},
                    {"choices", choices(gate)},
                    {"freeform", gate.freeform},
                    {"default", gate.default_choice}};
  if (gate.timeout) {
    data["timeout_ms"] = gate.timeout->count();
  } else if (gate.type == model::Gate::Type::kApproval) {
    data["timeout_ms"] = run_->manifest().runtime.timeouts.gate_approval.count();
  }
  return data;
}

json::object OpenGate::ask_after_interrupt() const {
  const flow::StepState* state = run_->state.find(operation_.step);
  return {{"gate_id", fmt::format("{}.{}!{}", operation_.step, operation_.visit, state->interrupt_gates + 1)},
          {"purpose", "interrupt"},
          {"type", "approval"},
          {"prompt", fmt::format("Step {} was interrupted. Run it again?", operation_.step)},
          {"choices", json::array{choice("rerun", "Run it again", ""), choice("fail", "Let it fail", "_fail")}},
          {"freeform", false},
          {"default", ""}};
}

// Slots belong to a queue; where there is none, a run that can go on goes on.
class AcquireSlot final : public ActiveOperation {
 public:
  using ActiveOperation::ActiveOperation;

  void start() override {
    const bool first = !run_->state.started_at.has_value();
    flow::Event event;
    event.kind = first ? flow::Kind::kRunStarted : flow::Kind::kRunResumed;
    if (!first) event.data["reason"] = "ready";
    report_end({std::move(event)});
  }
};

}  // namespace

std::shared_ptr<ActiveOperation> make_open_gate(std::shared_ptr<RunContext> run,
                                                const flow::Operation& operation,
                                                ActiveOperation::Reporter reporter) {
  return std::make_shared<OpenGate>(std::move(run), operation, std::move(reporter));
}

std::shared_ptr<ActiveOperation> make_acquire_slot(std::shared_ptr<RunContext> run,
                                                   const flow::Operation& operation,
                                                   ActiveOperation::Reporter reporter) {
  return std::make_shared<AcquireSlot>(std::move(run), operation, std::move(reporter));
}

}  // namespace wave::engine
