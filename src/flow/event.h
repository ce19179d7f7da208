// Events: the only facts about a run. docs/events.md is generated from the table in event_kinds.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace wave::flow {

/// What happened. Names are verbs in the past, prefixed by what they happened to.
enum class Kind {
  // the run
  kRunQueued,           // accepted; or, with resuming: true, can go on and wants a slot
  kRunForked,           // first event of a run that was made from another one
  kRunStarted,          // got its first slot
  kRunResumed,          // goes on: after an interruption, a stop, or a wait
  kRunWaiting,          // no step of it runs; holds no slot
  kRunWaitEnded,        // what the run or its steps lacked is there again
  kRunCancelRequested,  // somebody asked for its end
  kRunStopRequested,    // somebody asked it to pause: agents are stopped, nothing is lost
  kRunCompleted,        // terminal; status success or empty
  kRunFailed,           // terminal
  kRunRejected,         // terminal: a contract's verdict was no
  kRunCancelled,        // terminal
  // a step
  kStepStarted,    // an attempt begins: reason first, retry, rework, interrupted, jump, resume
  kStepCompleted,  // status success or empty
  kStepFailed,     // for good; `tolerated` when the run goes on
  kStepRejected,
  kStepCancelled,
  kStepSkipped,
  kStepRetrying,     // an attempt failed, another one follows
  kStepReworking,    // another step repairs its work
  kStepInterrupted,  // machine, host or owner went away, or it was stopped; runs again
  kStepWaiting,      // something that its next operation needs is lacking; it goes on by itself
  kStepsReset,       // a gate's decision sent the run back: these steps run again
  // within a step
  kAgentExited,     // the agent or command ended; how, and what it used
  kStreamActivity,  // an agent said or did something
  kWorkspaceCreated,
  kArtifactCreated,
  kOutputsCollected,  // all declared outputs have been looked for
  kContractPassed,
  kContractFailed,
  kCheckpointCreated,
  kHookPassed,
  kHookFailed,
  kGateWaiting,
  kGateResolved,
  kTimerSet,
  kTimerFired,
  kBudgetWarning,
  kWarningRaised,
};

enum class FieldType { kString, kInteger, kNumber, kBoolean, kObject, kArray, kTime };

/// One field of a kind, for schemas and documentation.
struct FieldInfo {
  std::string_view name;
  FieldType type;
  bool required;
  std::string_view meaning;
};

struct KindInfo {
  Kind kind;
  std::string_view name;     // "step_started"
  std::string_view meaning;  // one sentence
  bool of_step;              // carries `step`, `visit` and `attempt`
  bool folded;               // whether it changes RunState; stream_activity does not
  std::span<const FieldInfo> fields;
};

std::span<const KindInfo> all_kinds();
const KindInfo& info(Kind kind);
inline std::string_view to_string(Kind kind) {
  return info(kind).name;
}
std::optional<Kind> kind_from_name(std::string_view name);
std::string_view to_string(FieldType type);
/// The JSON Schema (draft 2020-12) of a kind's whole envelope.
json::object schema(Kind kind);

/// One event. `data` holds the kind's own fields; the envelope's names never appear in it.
struct Event {
  uint64_t seq = 0;  // 1, 2, 3 ... without holes within a run; 0 until the owner stamps it
  std::string run_id;
  WallTime ts{};
  Kind kind = Kind::kWarningRaised;
  std::string step;
  std::string persona;
  int attempt = 0;  // 0: does not apply
  int visit = 0;
  std::string actor;
  json::object data;
};

/// Whether the envelope and `data` have what the kind's table requires, in the right types.
/// kInternal.
Status check_fields(const Event& event);

/// The envelope as one JSON line, without the newline: v, seq, run_id, ts, event, step, persona,
/// attempt, visit, actor, then the kind's own fields, flat. Bytes that are not UTF-8 become U+FFFD,
/// and members of `data` with a name of the envelope are left out: what was written can always be
/// read.
std::string encode(const Event& event);
/// Reads what encode wrote. kStoreNewer for another `v`, kStore for anything else that is wrong.
Result<Event> decode(std::string_view line);

}  // namespace wave::flow
