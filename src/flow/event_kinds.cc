// The table of event kinds. docs/events.md, the JSON Schemas and check_fields() are made from it.
#include <array>

#include "flow/event.h"

namespace wave::flow {
namespace {

using enum FieldType;
constexpr bool kRequired = true;
constexpr bool kOptional = false;

// Fields that mean the same wherever they stand.
constexpr FieldInfo kDuration{"duration_ms", kInteger, kOptional, "how long it took, milliseconds"};
constexpr FieldInfo kUsage{
    "usage", kObject, kOptional,
    "tokens_in, tokens_out, tokens_cache_read, tokens_cache_write, cost_usd"};
constexpr FieldInfo kStatus{"status", kString, kRequired,
                            "success, empty, failure, rejected, skipped or cancelled"};
constexpr FieldInfo kLeaked{"leaked", kArray, kOptional,
                            "processes that SIGKILL could not end, as far as they are known"};
constexpr FieldInfo kClass{"failure_class", kString, kRequired,
                           "why it failed, which decides what is tried next"};
constexpr FieldInfo kClassIfAny{"failure_class", kString, kOptional,
                                "why it failed; absent when it did not"};
constexpr FieldInfo kCode{"code", kString, kOptional, "stable error code"};
constexpr FieldInfo kMessage{"message", kString, kRequired, "what happened, for people"};
constexpr FieldInfo kMessageIfAny{"message", kString, kOptional, "what happened, for people"};
constexpr FieldInfo kErrors{"errors", kArray, kOptional,
                            "the contract's findings, one string each"};
constexpr FieldInfo kGateId{"gate_id", kString, kRequired, "the gate, unique per visit"};
constexpr FieldInfo kTimer{"timer", kString, kRequired, "the timer's id, unique within the run"};
constexpr FieldInfo kTimerPurpose{"purpose", kString, kRequired, "retry, rate_limit or gate"};
constexpr FieldInfo kContractIndex{"index", kInteger, kRequired,
                                   "which of the step's contracts, from 0"};
constexpr FieldInfo kContractType{"type", kString, kRequired, "the contract's type"};
constexpr FieldInfo kNotes{"notes", kArray, kOptional, "recoveries applied, warnings"};
constexpr FieldInfo kDetails{"details", kObject, kOptional, "a reviewer's verdict and issues"};
constexpr FieldInfo kHookEvent{"hook_event", kString, kRequired, "run_start, step_completed ..."};
constexpr FieldInfo kHookIndex{"index", kInteger, kRequired,
                               "which of the hooks of that event and step, from 0"};
constexpr FieldInfo kHookName{"name", kString, kOptional, "the hook's name"};

constexpr std::array kRunQueuedFields{
    FieldInfo{"pipeline", kString, kOptional, "the pipeline's name"},
    FieldInfo{"options", kObject, kOptional,
              "what the run was started with: input, model, force_model, adapter, steps, exclude, "
              "skip_gates, from_step, timeout_ms, tags"},
    FieldInfo{"snapshot", kString, kOptional, "sha256 of what the run was started with"},
    FieldInfo{"resuming", kBoolean, kOptional, "true: it was running before and can go on"},
};
constexpr std::array kRunForkedFields{
    FieldInfo{"origin_run_id", kString, kRequired, "the run this one was made from"},
    FieldInfo{"origin_seq", kInteger, kRequired, "the origin's last event that was seen"},
    FieldInfo{"state", kObject, kRequired,
              "steps (what is taken over as completed), from_step, failure (of that step), "
              "asks_again (gates before it that are asked once more)"},
};
constexpr std::array<FieldInfo, 0> kRunStartedFields{};
constexpr std::array kRunResumedFields{
    FieldInfo{"reason", kString, kRequired, "ready, resume (after a stop) or interrupted"},
};
constexpr std::array kRunWaitingFields{
    FieldInfo{"reason", kString, kRequired, "gate, disk, timer, rate_limit, stopped or shutdown"},
    FieldInfo{"message", kString, kOptional, "what is lacking (disk)"},
};
constexpr std::array kRunWaitEndedFields{
    FieldInfo{"reason", kString, kRequired, "disk"},
};
constexpr std::array kRunCancelRequestedFields{
    FieldInfo{"by", kString, kOptional, "who asked"},
    FieldInfo{"reason", kString, kOptional, "why, in the caller's words"},
    FieldInfo{"force", kBoolean, kOptional, "true: without the grace period"},
};
constexpr std::array kRunStopRequestedFields{
    FieldInfo{"by", kString, kOptional, "who asked"},
    FieldInfo{"reason", kString, kOptional,
              "shutdown: the server that works on it ends, and its next start goes on"},
};
constexpr std::array kRunCompletedFields{
    kStatus,
    kDuration,
    kUsage,
    kLeaked,
    FieldInfo{"steps", kObject, kOptional, "how many steps ended in each status"},
};
constexpr std::array kRunFailedFields{kStatus, kClass, kCode, kMessage, kDuration, kUsage, kLeaked};
constexpr std::array kRunRejectedFields{kStatus, kMessage, kErrors, kDuration, kUsage, kLeaked};
constexpr std::array kRunCancelledFields{
    kStatus,
    kDuration,
    kUsage,
    kLeaked,
    FieldInfo{"reason", kString, kOptional, "why, in the caller's words"},
    FieldInfo{"by", kString, kOptional, "who asked"},
};

constexpr std::array kStepStartedFields{
    FieldInfo{"reason", kString, kRequired,
              "first, retry, rework, interrupted, jump (a gate sent the run back) or resume"},
    FieldInfo{"kind", kString, kRequired, "persona, command or gate"},
    FieldInfo{"rework_for", kString, kOptional, "the step whose work this one repairs"},
    FieldInfo{"adapter", kString, kOptional, "which agent"},
    FieldInfo{"model", kString, kOptional, "the model asked for; absent: the agent's own default"},
};
constexpr std::array kStepCompletedFields{
    kStatus,
    kDuration,
    kUsage,
    FieldInfo{"reworked_by", kString, kOptional, "the step whose outputs stand for this one's"},
    FieldInfo{"choice", kString, kOptional, "a gate's choice"},
};
constexpr std::array kStepFailedFields{
    kStatus, kClass,
    kCode,   kMessage,
    kErrors, kDuration,
    kUsage,  FieldInfo{"tolerated", kBoolean, kRequired, "whether the run goes on"},
};
constexpr std::array kStepRejectedFields{kStatus,  kContractIndex, kContractType,
                                         kMessage, kErrors,        kDuration};
constexpr std::array kStepCancelledFields{
    kStatus,
    FieldInfo{"reason", kString, kRequired, "cancelled, sibling_failed or budget_exhausted"},
    kDuration,
};
constexpr std::array kStepSkippedFields{
    kStatus,
    FieldInfo{
        "reason", kString, kRequired,
        "filtered (--steps, --exclude), dependency, failed (on_failure: skip) or jumped_over"},
    FieldInfo{"dependency", kString, kOptional, "the dependency that did not complete"},
    kClassIfAny,
    kCode,
    kMessageIfAny,
};
constexpr std::array kStepRetryingFields{
    FieldInfo{"next_attempt", kInteger, kRequired, "the attempt that follows; `attempt` failed"},
    FieldInfo{"delay_ms", kInteger, kRequired, "the wait before it, without jitter, milliseconds"},
    kClass,
    kCode,
    kMessage,
    kErrors,
};
constexpr std::array kStepReworkingFields{
    FieldInfo{"target", kString, kRequired, "the step that repairs it"},
    FieldInfo{"round", kInteger, kRequired, "how often, from 1"},
    FieldInfo{"index", kInteger, kOptional, "the contract that asked for it, from 0"},
    kClass,
    kCode,
    kMessage,
    kErrors,
};
constexpr std::array kStepInterruptedFields{
    FieldInfo{"reason", kString, kRequired, "host_lost, owner_lost, machine, disk or stopped"},
    kMessageIfAny,
    kUsage,
    kLeaked,
};
constexpr std::array kStepWaitingFields{
    FieldInfo{"reason", kString, kRequired, "disk"},
    kCode,
    kMessage,
    FieldInfo{"hint", kString, kOptional, "what to do about it"},
};
constexpr std::array kStepsResetFields{
    FieldInfo{"steps", kArray, kRequired, "ids of the steps that run again"},
    FieldInfo{"reason", kString, kRequired, "gate"},
    kGateId,
    FieldInfo{"target", kString, kRequired, "where the gate's decision sent the run"},
};

constexpr std::array kAgentExitedFields{
    FieldInfo{"succeeded", kBoolean, kRequired, "by the agent's own words and its exit together"},
    kClassIfAny,
    kCode,
    kMessageIfAny,
    FieldInfo{"reason", kString, kOptional,
              "exited, timeout, stopped, output_limit, unattended, spawn_failed or not_started"},
    FieldInfo{"hint", kString, kOptional, "what to do about the failure"},
    FieldInfo{"source", kString, kOptional, "file:line:column of what is wrong in the pipeline"},
    FieldInfo{"out_bytes", kInteger, kOptional, "size of the stdout spool"},
    FieldInfo{"err_bytes", kInteger, kOptional, "size of the stderr spool"},
    FieldInfo{"skipped_bytes", kInteger, kOptional,
              "of what it had printed before it was stopped: in the spools, and in no activity"},
    FieldInfo{"exit_code", kInteger, kOptional, "absent when a signal ended it"},
    FieldInfo{"signal", kInteger, kOptional, "the signal that ended it"},
    kDuration,
    kUsage,
    FieldInfo{"session", kString, kOptional, "the agent's session, to look it up there"},
    FieldInfo{"adapter", kString, kOptional, "which agent"},
    FieldInfo{"model", kString, kOptional, "the model that answered"},
    FieldInfo{"retry_after_ms", kInteger, kOptional, "the wait the service asked for"},
    FieldInfo{"output_tail", kString, kOptional, "bounded end of what a failed attempt printed"},
    FieldInfo{"final_text", kString, kOptional, "bounded excerpt of what the agent said last"},
    kLeaked,
};
constexpr std::array kStreamActivityFields{
    FieldInfo{"kind", kString, kRequired, "text, thinking, tool_use, tool_result, notice, output"},
    FieldInfo{"content", kString, kOptional, "bounded excerpt"},
    FieldInfo{"tool_name", kString, kOptional, "the tool"},
    FieldInfo{"tool_target", kString, kOptional, "what it was applied to"},
    FieldInfo{"is_error", kBoolean, kOptional, "a tool's result was an error"},
    FieldInfo{"launch", kString, kOptional, "the folder of the process that said it"},
    FieldInfo{"stream", kString, kOptional, "out or err"},
    FieldInfo{"offset", kInteger, kOptional, "where in the spool the full text stands, bytes"},
    FieldInfo{"length", kInteger, kOptional, "its length there, bytes"},
};
constexpr std::array kWorkspaceCreatedFields{
    FieldInfo{"path", kString, kRequired, "the folder, relative to the project root"},
    FieldInfo{"type", kString, kOptional, "plain, mount, worktree or ref"},
    FieldInfo{"branch", kString, kOptional, "the worktree's branch"},
    FieldInfo{"base", kString, kOptional, "the commit it started from"},
};
constexpr std::array kArtifactCreatedFields{
    FieldInfo{"name", kString, kRequired, "its name, unique within the step"},
    FieldInfo{"type", kString, kOptional, "json, text, markdown or binary"},
    FieldInfo{"path", kString, kOptional, "where the step left it, relative to the project root"},
    FieldInfo{"sha256", kString, kRequired, "the bytes, in the blob store"},
    FieldInfo{"size", kInteger, kOptional, "bytes"},
};
constexpr std::array kOutputsCollectedFields{
    FieldInfo{"has_tree", kBoolean, kOptional, "the workspace is a git worktree"},
    FieldInfo{"changed_tree", kBoolean, kOptional, "it differs from what it was at the start"},
    FieldInfo{"missing", kArray, kOptional, "required artifacts that are not there: a failure"},
    FieldInfo{"outcomes", kArray, kOptional, "pull requests, issues, links that were found"},
    kClassIfAny,
    kCode,
    kMessageIfAny,
};
constexpr std::array kContractPassedFields{
    kContractIndex, kContractType,
    kDuration,      kUsage,
    kMessageIfAny,  kNotes,
    kDetails,       FieldInfo{"round", kInteger, kOptional, "the rework round it was checked in"},
};
constexpr std::array kContractFailedFields{
    kContractIndex,
    kContractType,
    FieldInfo{"policy", kString, kRequired, "fail, skip, continue, rework, warn or rejected"},
    kErrors,
    kMessage,
    kCode,
    FieldInfo{"failure_class", kString, kRequired,
              "contract_failure or test_failure; canceled or stopped: it was not checked"},
    FieldInfo{"evaluable", kBoolean, kOptional, "false: it could not be evaluated"},
    FieldInfo{"output_tail", kString, kOptional, "bounded end of what a command printed"},
    kNotes,
    kDetails,
    FieldInfo{"round", kInteger, kOptional, "the rework round it was checked in"},
    kDuration,
    kUsage,
};
constexpr std::array kCheckpointCreatedFields{
    FieldInfo{"ref", kString, kOptional, "git ref of the checkpoint"},
    FieldInfo{"commit", kString, kOptional, "its commit"},
    FieldInfo{"skipped", kBoolean, kOptional, "true: there was nothing to keep"},
    kMessageIfAny,
};
constexpr std::array kHookPassedFields{kHookEvent, kHookIndex, kHookName, kDuration, kMessageIfAny};
constexpr std::array kHookFailedFields{
    kHookEvent,
    kHookIndex,
    kHookName,
    kDuration,
    kMessage,
    kCode,
    FieldInfo{"blocked", kBoolean, kRequired,
              "whether it stands in the way: it is blocking, and not fail_open where that counts"},
};
constexpr std::array kGateWaitingFields{
    kGateId,
    FieldInfo{"purpose", kString, kRequired, "gate, or interrupt (on_interrupt: gate)"},
    FieldInfo{"type", kString, kRequired, "approval or timer"},
    FieldInfo{"prompt", kString, kRequired, "what is asked"},
    FieldInfo{"choices", kArray, kOptional, "objects of key, label and target"},
    FieldInfo{"freeform", kBoolean, kOptional, "whether a text may go with the decision"},
    FieldInfo{"default", kString, kOptional, "the choice that its deadline makes"},
    FieldInfo{"approvers", kArray, kOptional,
              "who may answer: subjects and role:NAME; absent: everybody with the role operator"},
    FieldInfo{"forbid_self_approval", kBoolean, kOptional,
              "whether who started the run may not answer"},
    FieldInfo{"timeout_ms", kInteger, kOptional, "milliseconds to its deadline; absent or 0: none"},
    FieldInfo{"deadline", kTime, kOptional, "when it ends by itself"},
};
constexpr std::array kGateResolvedFields{
    kGateId,
    FieldInfo{"outcome", kString, kRequired, "decided, default, timeout, timer or auto"},
    FieldInfo{"choice", kString, kOptional, "the choice's key"},
    FieldInfo{"label", kString, kOptional, "the choice's label"},
    FieldInfo{"text", kString, kOptional, "what was written with it"},
    FieldInfo{"target", kString, kOptional, "where the choice sends the run; _fail ends it"},
    FieldInfo{"by", kString, kOptional, "who decided"},
    FieldInfo{"via", kString, kOptional, "cli, api or browser"},
};
constexpr std::array kTimerSetFields{
    kTimer,
    kTimerPurpose,
    FieldInfo{"delay_ms", kInteger, kRequired, "the wait, without jitter, milliseconds"},
    FieldInfo{"due", kTime, kRequired, "when it fires, jitter included"},
};
constexpr std::array kTimerFiredFields{kTimer, kTimerPurpose};
constexpr std::array kBudgetWarningFields{
    FieldInfo{"cost_usd", kNumber, kRequired, "what the run has cost"},
    FieldInfo{"warn_at", kNumber, kRequired, "runtime.cost.warn_at"},
    FieldInfo{"ceiling", kNumber, kOptional, "runtime.cost.budget_ceiling"},
};
constexpr std::array kWarningRaisedFields{
    kMessage,
    kCode,
    FieldInfo{"hint", kString, kOptional, "what to do about it"},
};

constexpr bool kOfStep = true;
constexpr bool kOfRun = false;
constexpr bool kFolded = true;
constexpr bool kNotFolded = false;

using enum Kind;
// In the order of Kind.
constexpr std::array kKinds{
    KindInfo{kRunQueued, "run_queued", "The run was accepted, or can go on, and wants a slot.",
             kOfRun, kFolded, kRunQueuedFields},
    KindInfo{kRunForked, "run_forked", "The run was made from another one; always its first event.",
             kOfRun, kFolded, kRunForkedFields},
    KindInfo{kRunStarted, "run_started", "The run got its first slot.", kOfRun, kFolded,
             kRunStartedFields},
    KindInfo{kRunResumed, "run_resumed", "The run goes on after an interruption, a stop or a wait.",
             kOfRun, kFolded, kRunResumedFields},
    KindInfo{kRunWaiting, "run_waiting", "No step of the run runs, and it holds no slot.", kOfRun,
             kFolded, kRunWaitingFields},
    KindInfo{kRunWaitEnded, "run_wait_ended",
             "What the run, or steps of it, waited for is there again.", kOfRun, kFolded,
             kRunWaitEndedFields},
    KindInfo{kRunCancelRequested, "run_cancel_requested", "Somebody asked for the run's end.",
             kOfRun, kFolded, kRunCancelRequestedFields},
    KindInfo{kRunStopRequested, "run_stop_requested",
             "Somebody asked the run to pause: agents are stopped, nothing is lost.", kOfRun,
             kFolded, kRunStopRequestedFields},
    KindInfo{kRunCompleted, "run_completed", "The run ended well. Terminal.", kOfRun, kFolded,
             kRunCompletedFields},
    KindInfo{kRunFailed, "run_failed", "The run failed; `step` names where, if anywhere. Terminal.",
             kOfRun, kFolded, kRunFailedFields},
    KindInfo{kRunRejected, "run_rejected", "A contract's verdict ended the run. Terminal.", kOfRun,
             kFolded, kRunRejectedFields},
    KindInfo{kRunCancelled, "run_cancelled", "The run ended as asked. Terminal.", kOfRun, kFolded,
             kRunCancelledFields},
    KindInfo{kStepStarted, "step_started", "An attempt of the step begins.", kOfStep, kFolded,
             kStepStartedFields},
    KindInfo{kStepCompleted, "step_completed", "The step is done.", kOfStep, kFolded,
             kStepCompletedFields},
    KindInfo{kStepFailed, "step_failed", "The step failed for good.", kOfStep, kFolded,
             kStepFailedFields},
    KindInfo{kStepRejected, "step_rejected", "A contract of the step rejected its work.", kOfStep,
             kFolded, kStepRejectedFields},
    KindInfo{kStepCancelled, "step_cancelled", "The step was ended because the run ends.", kOfStep,
             kFolded, kStepCancelledFields},
    KindInfo{kStepSkipped, "step_skipped", "The step is not done.", kOfStep, kFolded,
             kStepSkippedFields},
    KindInfo{kStepRetrying, "step_retrying", "An attempt failed; another one follows after a wait.",
             kOfStep, kFolded, kStepRetryingFields},
    KindInfo{kStepReworking, "step_reworking", "The step's work is being repaired by another step.",
             kOfStep, kFolded, kStepReworkingFields},
    KindInfo{kStepInterrupted, "step_interrupted",
             "What did the step's work went away, or was stopped; it runs again.", kOfStep, kFolded,
             kStepInterruptedFields},
    KindInfo{kStepWaiting, "step_waiting",
             "The step cannot go on before something that is lacking is there; it then does so by "
             "itself.",
             kOfStep, kFolded, kStepWaitingFields},
    KindInfo{kStepsReset, "steps_reset", "A gate's decision sent the run back.", kOfStep, kFolded,
             kStepsResetFields},
    KindInfo{kAgentExited, "agent_exited",
             "The agent or command ended, or could not be started: how, and what it used.", kOfStep,
             kFolded, kAgentExitedFields},
    KindInfo{kStreamActivity, "stream_activity", "An agent said or did something.", kOfStep,
             kNotFolded, kStreamActivityFields},
    KindInfo{kWorkspaceCreated, "workspace_created", "The step's folder is ready.", kOfStep,
             kFolded, kWorkspaceCreatedFields},
    KindInfo{kArtifactCreated, "artifact_created", "The step produced an artifact.", kOfStep,
             kFolded, kArtifactCreatedFields},
    KindInfo{kOutputsCollected, "outputs_collected", "All declared outputs have been looked for.",
             kOfStep, kFolded, kOutputsCollectedFields},
    KindInfo{kContractPassed, "contract_passed", "A contract holds.", kOfStep, kFolded,
             kContractPassedFields},
    KindInfo{kContractFailed, "contract_failed", "A contract does not hold.", kOfStep, kFolded,
             kContractFailedFields},
    KindInfo{kCheckpointCreated, "checkpoint_created", "The step's worktree was kept.", kOfStep,
             kFolded, kCheckpointCreatedFields},
    KindInfo{kHookPassed, "hook_passed", "A hook of the run or of a step ran.", kOfRun, kFolded,
             kHookPassedFields},
    KindInfo{kHookFailed, "hook_failed", "A hook of the run or of a step failed.", kOfRun, kFolded,
             kHookFailedFields},
    KindInfo{kGateWaiting, "gate_waiting", "A gate waits for a decision or for its time.", kOfStep,
             kFolded, kGateWaitingFields},
    KindInfo{kGateResolved, "gate_resolved", "A gate is decided.", kOfStep, kFolded,
             kGateResolvedFields},
    KindInfo{kTimerSet, "timer_set", "The step waits until a point in time.", kOfStep, kFolded,
             kTimerSetFields},
    KindInfo{kTimerFired, "timer_fired", "A timer's time has come.", kOfStep, kFolded,
             kTimerFiredFields},
    KindInfo{kBudgetWarning, "budget_warning", "The run's cost passed runtime.cost.warn_at.",
             kOfRun, kFolded, kBudgetWarningFields},
    KindInfo{kWarningRaised, "warning_raised", "Something is worth knowing and changes nothing.",
             kOfRun, kNotFolded, kWarningRaisedFields},
};

constexpr bool in_order() {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<size_t>(kKinds[i].kind) != i) return false;
  }
  return kKinds.size() == static_cast<size_t>(kWarningRaised) + 1;
}
static_assert(in_order(), "the table lists every kind once, in the order of Kind");

}  // namespace

std::span<const KindInfo> all_kinds() {
  return kKinds;
}

const KindInfo& info(Kind kind) {
  return kKinds[static_cast<size_t>(kind)];
}

std::optional<Kind> kind_from_name(std::string_view name) {
  for (const KindInfo& kind : kKinds) {
    if (kind.name == name) return kind.kind;
  }
  return std::nullopt;
}

std::string_view to_string(FieldType type) {
  switch (type) {
    case kString:
      return "string";
    case kInteger:
      return "integer";
    case kNumber:
      return "number";
    case kBoolean:
      return "boolean";
    case kObject:
      return "object";
    case kArray:
      return "array";
    case kTime:
      return "time";
  }
  return "";
}

}  // namespace wave::flow
