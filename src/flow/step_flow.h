// What one step wants next, looking at itself (and, while it is reworked, at who repairs it).
#pragma once

#include <optional>
#include <vector>

#include "flow/decide.h"

namespace wave::flow {

/// Either events, or an operation, or neither: then the step waits for somebody else.
struct Action {
  std::vector<Event> emit;
  std::optional<Operation> operation;
  int starts = -1;           // the step that an attempt is begun of: needs a free place
  bool completes = false;    // `emit` ends the step well
  bool bookkeeping = false;  // needs neither a slot nor a running run
  bool routes = false;       // `emit` is about other steps as well, so nothing else goes with it
};

class StepFlow {
 public:
  /// `last_chance`: attempts that fail are not repaired or repeated any more. Both references have
  /// to outlive this object.
  StepFlow(const Program& program, const RunState& state, bool last_chance)
      : program_(program), state_(state), last_chance_(last_chance) {}

  /// Of a step that was begun and is not terminal.
  [[nodiscard]] Action next(size_t step) const;
  /// Of a ready step: its first attempt, or its end when it was begun too often.
  [[nodiscard]] Action begin(size_t step) const;
  /// Where the decision of a gate sends the run back to: the index of a step that was begun before.
  [[nodiscard]] std::optional<int> jump_target(size_t step) const;

 private:
  [[nodiscard]] Action running(size_t step) const;
  [[nodiscard]] Action work(size_t step) const;
  [[nodiscard]] Action decided_gate(size_t step) const;
  [[nodiscard]] Action waiting_gate(size_t step) const;
  [[nodiscard]] Action retrying(size_t step) const;
  [[nodiscard]] Action reworking(size_t step) const;
  [[nodiscard]] Action interrupted(size_t step) const;

  [[nodiscard]] Action after_failure(size_t step) const;
  [[nodiscard]] Action after_contract(size_t step) const;
  [[nodiscard]] Action give_up(size_t step, const Failure& failure) const;
  [[nodiscard]] Action fail_for_good(size_t step, const Failure& failure, bool tolerated) const;
  [[nodiscard]] Action rework(size_t step, const Failure& failure, const std::string& target,
                              std::optional<size_t> contract) const;
  [[nodiscard]] Action complete(size_t step, std::vector<Event> before) const;

  [[nodiscard]] Action start(size_t step, std::string_view reason,
                             std::string_view rework_for = {}) const;
  [[nodiscard]] Event timer(size_t step, std::string id, std::string_view purpose,
                            Millis delay) const;
  [[nodiscard]] Action operate(size_t step, OperationKind kind, size_t index = 0) const;
  [[nodiscard]] std::optional<Action> hook(size_t step, model::Hook::Event event) const;
  [[nodiscard]] bool can_be_reworked_by(size_t step, const std::string& target) const;
  [[nodiscard]] bool is_visited_too_often(size_t step) const;

  [[nodiscard]] const model::Step& model_of(size_t step) const { return program_.steps()[step]; }
  [[nodiscard]] const StepState& state_of(size_t step) const { return state_.steps[step]; }

  const Program& program_;
  const RunState& state_;
  bool last_chance_;
};

/// The next hook of an event that has not run, as an operation. `step` -1: of the run.
std::optional<Operation> next_hook(const Program& program, const RunState& state, int step,
                                   model::Hook::Event event);

}  // namespace wave::flow
