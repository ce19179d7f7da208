// State -> what to do next. The heart of wave, and a pure function.
//
// decide() answers with events that follow from the state alone (`emit`) and with operations that
// touch the world. The executor folds the emitted events and asks again until there are none,
// appends all of them in one go, and only then carries the operations out. The same operation is
// asked for again and again until its result is an event: the executor starts it once (by key()),
// and starts it anew after a crash. Every operation is therefore idempotent.
#pragma once

#include <string>
#include <vector>

#include "flow/event.h"
#include "flow/program.h"
#include "flow/state.h"

namespace wave::flow {

/// What the executor does, and which events end it:
enum class OperationKind {
  kAcquireSlot,     // -> run_started, or run_resumed
  kExecute,         // run or attach to the agent or command -> agent_exited, or step_interrupted;
                    // what fails before the start is an agent_exited as well
  kCollectOutputs,  // -> artifact_created*, outputs_collected
  kCheckContract,   // contract `index` -> contract_passed or contract_failed
  kCheckpoint,      // -> checkpoint_created (with `skipped` when there is nothing to keep)
  kRunHook,         // hook `index` of `hook_event` -> hook_passed or hook_failed
  kAwaitDisk,       // of the run: waits until the disk takes files again -> run_wait_ended
  kOpenGate,        // renders the prompt -> gate_waiting; agent_exited when that fails
};

/// How a running operation is to end early.
enum class StopReason { kNone, kCancel, kForceCancel, kStop, kSiblingFailed };

/// Any operation but kAwaitDisk that finds the disk full, read-only, failing or gone may end with
/// step_waiting instead, one of the run with run_waiting: it is asked for again when kAwaitDisk has
/// ended.
struct Operation {
  OperationKind kind = OperationKind::kExecute;
  std::string step;  // empty: of the run
  int visit = 0;
  int attempt = 0;
  size_t index = 0;
  model::Hook::Event hook_event = model::Hook::Event::kRunStart;
  std::string purpose;  // kOpenGate: gate or interrupt
  int round = 0;        // the rework round of the step, so that a re-check is another operation
  int restart = 0;      // how often the attempt was begun again after an interruption or stop
  StopReason stop = StopReason::kNone;

  /// Names the operation, not counting `stop`.
  [[nodiscard]] std::string key() const;
};

struct Decisions {
  /// Events without seq, ts and run_id. While there are any, `operations` is empty. A timer_set
  /// carries delay_ms, a gate_waiting timeout_ms: the executor stamps `due` and `deadline` from
  /// them.
  std::vector<Event> emit;
  std::vector<Operation> operations;
};

/// What to do next. Deterministic; never both wrong and silent: a state that cannot go on emits
/// run_failed with code internal_error.
///
/// What an ending run, a stopped one or one that jumps back has in flight is asked for again, with
/// `stop` where the operation can be cut short, until its result is an event; then nothing more is
/// asked. An operation that was never started and is asked for with `stop` is answered without
/// starting it (agent_exited or contract_failed of class canceled or stopped). Only kAcquireSlot
/// and kAwaitDisk are ever withdrawn by not being asked for any more.
Decisions decide(const Program& program, const RunState& state);

/// The wait before attempt `attempt` (2 or more) of a step, without jitter: fixed: base; linear:
/// base x (attempt - 1); exponential: base x 2^(attempt - 2); at most max_delay.
Millis retry_delay(const model::Retry& retry, int attempt);

/// Which events are to be appended for a gate decision, a fired timer, a cancel or a stop request:
/// built here, so that every door builds the same.
Event gate_resolved(const GateState& gate, const std::string& step, int visit, std::string outcome,
                    std::string choice, std::string text, std::string by, std::string via);
/// What kOpenGate answers with, once the prompt is rendered. `operation` is decide's.
Event gate_waiting(const Program& program, const RunState& state, const Operation& operation,
                   const std::string& prompt);
Event timer_fired(const TimerState& timer);
Event run_cancel_requested(std::string by, std::string reason, bool force);
/// `reason`: "shutdown" when the server ends, else empty.
Event run_stop_requested(std::string by, const std::string& reason = {});

/// Retries shorter than this keep the run's slot; longer waits make it `waiting`.
inline constexpr Millis kShortWait{5'000};
/// After so many interruptions of one visit a step fails as interrupted_repeatedly.
inline constexpr int kMaxInterruptions = 3;
/// The same for want of disk. Each repetition waits for room first, so that it takes a step that
/// uses the disk up itself, and frees it again, to get here.
inline constexpr int kMaxDiskInterruptions = 10;

}  // namespace wave::flow
