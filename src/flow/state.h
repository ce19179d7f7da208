// The state of a run: what its events add up to.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "flow/event.h"

namespace wave::flow {

enum class RunStatus {
  kQueued,
  kRunning,
  kWaiting,
  kCompleted,
  kCompletedEmpty,
  kFailed,
  kRejected,
  kCancelled,
};
enum class StepStatus {
  kPending,
  kReady,
  kRunning,
  kWaiting,
  kRetrying,
  kReworking,
  kInterrupted,
  kCompleted,
  kCompletedEmpty,
  kSkipped,
  kFailed,
  kRejected,
  kCancelled,
};

std::string_view to_string(RunStatus status);
std::string_view to_string(StepStatus status);
std::optional<RunStatus> run_status_from_name(std::string_view name);
bool is_terminal(RunStatus status);
bool is_terminal(StepStatus status);
/// Whether a waiting run was stopped: by somebody ("stopped"), who then makes it go on, or with the
/// server that worked on it ("shutdown"), whose next start does.
bool is_stopped(std::string_view waiting_reason);
/// The one table of legal transitions (promise Q8). A terminal status has no way out.
bool is_legal(RunStatus from, RunStatus to);

/// Why a run or step waits when the disk takes no more, is read-only, fails or is gone.
inline constexpr std::string_view kWaitsForDisk = "disk";

/// Why an attempt failed, which decides what is tried next (wave-model.md 3.11).
enum class FailureClass {
  kNone,
  kTransient,         // retryable: unknown, network, 5xx
  kTimeout,           // retryable: the step's deadline passed
  kStalled,           // not retryable: no progress for runtime.stall_timeout
  kRateLimit,         // retryable, after the time the service asked for
  kContextExhausted,  // not retryable
  kBudgetExhausted,   // not retryable: the run's cost ceiling
  kContractFailure,   // retryable
  kTestFailure,       // retryable
  kDeterministic,     // not retryable: authentication, missing program, permission
  kOutputLimit,       // not retryable: the spool's cap
  kMissingOutput,     // retryable: a required artifact is not there
  kHook,              // not retryable: a blocking hook said no
  kGate,              // not retryable: the gate's decision or its deadline
  kInterruptedRepeatedly,
  kVisitLimit,
  kCanceled,  // asked for
  kStopped,   // asked to pause
  kInternal,
};
std::string_view to_string(FailureClass failure);
FailureClass failure_class_from_name(std::string_view name);
bool is_retryable(FailureClass failure);

/// Tokens and money.
struct Usage {
  int64_t tokens_in = 0;
  int64_t tokens_out = 0;
  int64_t tokens_cache_read = 0;
  int64_t tokens_cache_write = 0;
  double cost_usd = 0;

  Usage& operator+=(const Usage& other);
  [[nodiscard]] int64_t total() const { return tokens_in + tokens_out + tokens_cache_write; }
  friend bool operator==(const Usage&, const Usage&) = default;
};
json::object to_json(const Usage& usage);
Usage usage_from_json(const json::object& object);

/// Something a step produced. The bytes lie in the blob store under `sha256`.
struct Artifact {
  std::string step, name, type;
  std::string path;  // relative to the project root, where the step left it
  std::string sha256;
  int64_t size = 0;

  friend bool operator==(const Artifact&, const Artifact&) = default;
};
json::object to_json(const Artifact& artifact);
Artifact artifact_from_json(const json::object& object);

struct GateChoiceState {
  std::string key, label, target;
  friend bool operator==(const GateChoiceState&, const GateChoiceState&) = default;
};

/// An open or decided gate.
struct GateState {
  std::string gate_id;  // unique per visit: "<step>.<visit>", for interrupts "<step>.<visit>!<n>"
  std::string purpose;  // "gate", or "interrupt": what on_interrupt: gate asks
  std::string type;     // approval, timer
  std::string prompt;
  std::vector<GateChoiceState> choices;
  bool freeform = false;
  std::optional<WallTime> deadline;
  std::string default_choice;
  std::vector<std::string> approvers;  // who may answer (model/approvers.h); empty: everybody
  bool forbid_self_approval = false;
  bool resolved = false;
  std::string
      outcome;  // decided, default, timeout, timer, auto; withdrawn: its step ended otherwise
  std::string choice, label, text, target, by, via;
  std::optional<WallTime> opened_at, decided_at;
  int attempt = 0;    // of its step, when it was opened
  Millis timeout{0};  // 0: it has no deadline
  bool timer_was_set = false;
  bool timer_has_fired = false;
  bool routed = false;  // its jump back was carried out (steps_reset) without this gate in it
};

/// The last failure of a step, as later attempts and people see it.
struct Failure {
  FailureClass failure_class = FailureClass::kNone;
  std::string code;  // a Code's name
  std::string message;
  std::vector<std::string> contract_errors;
  std::string output_tail;
};

struct StepState {
  std::string id;
  StepStatus status = StepStatus::kPending;
  int visit = 0;               // how often it was begun afresh (jumps, reworks); 0 = never
  int attempt = 0;             // within the visit
  int interruptions = 0;       // within the visit, but those for want of disk
  int disk_interruptions = 0;  // within the visit
  int interrupt_gates = 0;
  uint64_t changed_seq = 0;  // the last event that changed this step
  std::optional<WallTime> started_at, finished_at;
  std::optional<WallTime> attempt_started_at;

  // Progress within the attempt: each flag is set by an event, decide() asks for the next.
  bool agent_exited = false;
  bool agent_succeeded = false;
  bool outputs_collected = false;
  bool changed_tree = false;  // outputs_collected said that the worktree differs
  bool has_tree = false;      // ... and that there is one
  size_t contracts_done = 0;
  bool contracts_cut = false;     // on_failure: skip ended the checking
  bool contract_failing = false;  // the last contract failed under fail, rework or rejected
  size_t failing_contract = 0;
  int rework_rounds = 0;  // of this visit
  bool checkpointed = false;
  std::map<std::string, size_t> hooks_done;  // hook event name -> how many ran
  bool hook_blocked = false;
  bool attempt_failed =
      false;                  // the agent, its outputs, a contract or a hook failed; see `failure`
  bool stopped = false;       // its agent was stopped, to go on later
  int restarts = 0;           // of this attempt, after interruptions and stops
  uint64_t progress_seq = 0;  // when the last operation of this step ended, or its attempt began
  /// Why it was interrupted last: host_lost, owner_lost, machine, disk, stopped.
  std::string interruption;
  std::optional<Millis> retry_after;  // the wait that the failed attempt's service asked for

  std::string reason;         // of the current attempt
  std::string rework_target;  // status reworking: who repairs it
  std::string rework_for;     // this step repairs that one
  std::string reworked_by;    // its outputs are that step's
  Failure failure;
  bool tolerated = false;  // failed, and the run goes on
  std::string skip_reason;
  std::string waits_for;  // running, and cannot go on before this is there: "disk"
  std::string waits_why;  // ... in words
  int waits = 0;          // how often in a row it had to wait so
  std::string workspace;  // relative to the project root
  std::vector<Artifact> artifacts;
  std::optional<GateState> gate;
  std::string retry_timer;  // the timer a retrying step waits for
  bool retry_due = false;   // ... and that it fired
  Usage usage;              // all attempts
  std::string session, model, adapter;
  std::string checkpoint_ref, checkpoint_commit;
};

struct TimerState {
  std::string id;
  std::string step;
  std::string purpose;  // retry, rate_limit, gate
  WallTime due;
  WallTime set_at{};
  int visit = 0, attempt = 0;
};

/// What a run was started with beside its files.
struct RunOptions {
  std::string input;
  std::string model;  // overrides; with force_model even steps that name one
  bool force_model = false;
  std::string adapter;
  std::vector<std::string> steps, exclude;
  bool skip_gates = false;  // no gate is asked
  std::string from_step;
  std::optional<Millis> timeout;  // of each step
  std::map<std::string, std::string> tags;
};
json::object to_json(const RunOptions& options);
Result<RunOptions> run_options_from_json(const json::object& object);

/// A gate that a run made from another one asks once more. Steps between it and what stands behind
/// it may have been taken over, so their being done says nothing of the gate.
struct GateAskedAgain {
  size_t gate = 0;           // index of its step
  std::vector<char> behind;  // by index of the step: whether it waits for the gate
};

struct RunState {
  std::string run_id;
  std::string pipeline;
  RunStatus status = RunStatus::kQueued;
  uint64_t last_seq = 0;
  WallTime last_ts{};
  RunOptions options;
  std::string actor;
  bool resuming = false;  // queued, but was running before
  std::string waiting_reason;
  int waits = 0;  // how often in a row it had to wait for the disk
  bool cancel_requested = false;
  bool cancel_force = false;
  std::string cancel_reason, cancel_by;
  uint64_t cancel_seq = 0;  // when the cancel was requested first
  bool stop_requested = false;
  std::string stop_reason;    // "shutdown", or empty: somebody's wish
  uint64_t stop_seq = 0;      // when the stop was requested
  uint64_t ending_seq = 0;    // when it was decided that the run ends early: a failure, a cancel
  uint64_t progress_seq = 0;  // when the last operation of any step or of the run ended
  bool hook_blocked = false;  // a run_start hook said no
  std::optional<WallTime> queued_at, started_at, finished_at;
  std::string origin_run_id;
  std::vector<GateAskedAgain> gates_asked_again;
  std::vector<StepState> steps;               // in the pipeline's order; filled by the first fold
  std::map<std::string, size_t> hooks_done;   // run hooks
  std::map<std::string, TimerState> timers;   // set and not fired
  std::map<std::string, int> failure_counts;  // circuit breaker: fingerprint -> times
  Usage usage;
  bool budget_warned = false;
  std::string failed_step;
  Failure failure;
  json::array leaked;

  [[nodiscard]] const StepState* find(std::string_view step) const;
  [[nodiscard]] StepState* find(std::string_view step);
};

}  // namespace wave::flow
