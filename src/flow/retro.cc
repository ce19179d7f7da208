#include "flow/retro.h"

#include <array>

#include "base/text.h"

namespace wave::flow {
namespace {

std::string bounded(std::string_view text) {
  return excerpt(text, Retro::kMostText);
}

/// Tools of agents that write the file they name.
bool writes_files(std::string_view tool) {
  static constexpr std::array<std::string_view, 6> kWriters{
      "Write", "Edit", "MultiEdit", "NotebookEdit", "write_file", "apply_patch"};
  return std::ranges::find(kWriters, tool) != kWriters.end();
}

std::string smoothness_of(const Retro& retro) {
  if (!retro.ended) return "unfinished";
  if (retro.outcome != "completed" && retro.outcome != "completed_empty") return "failed";
  const int again = retro.retries + 2 * retro.reworks + retro.jumps;
  const auto failed = static_cast<int>(retro.failed_contracts.size());
  if (again + failed > 5) return "struggled";
  if (again + failed > 1) return "bumpy";
  if (again + failed + retro.interruptions > 0) return "smooth";
  return "effortless";
}

}  // namespace

std::string_view to_string(Friction::Kind kind) {
  switch (kind) {
    case Friction::Kind::kRetry:
      return "retry";
    case Friction::Kind::kRework:
      return "rework";
    case Friction::Kind::kInterruption:
      return "interruption";
    case Friction::Kind::kJump:
      return "jump";
    case Friction::Kind::kContract:
      return "contract";
    case Friction::Kind::kHook:
      return "hook";
    case Friction::Kind::kTolerated:
      return "tolerated_failure";
  }
  return "";
}

const RetroStep* Retro::find(std::string_view wanted) const {
  const auto found = std::ranges::find(steps, wanted, &RetroStep::step);
  return found == steps.end() ? nullptr : &*found;
}

RetroStep& RetroBuilder::step(const std::string& name) {
  const auto [found, added] = index_.try_emplace(name, retro_.steps.size());
  if (added) retro_.steps.emplace_back().step = name;
  return retro_.steps[found->second];
}

/// The time since the last event belongs to what was going on in it.
void RetroBuilder::advance(WallTime now) {
  if (!last_) {
    last_ = now;
    return;
  }
  const Millis passed = std::max(Millis(0), now - *last_);
  last_ = std::max(now, *last_);
  if (passed == Millis(0)) return;
  bool anybody_works = false, anybody_waits = false;
  for (const auto& [name, live] : live_) {
    if (live.working) step(name).working += passed;
    if (live.waiting) step(name).waiting += passed;
    anybody_works |= live.working;
    anybody_waits |= live.waiting;
  }
  retro_.total += passed;
  if (queued_) {
    retro_.queued += passed;
  } else if (!anybody_works && (parked_ || anybody_waits)) {
    retro_.waiting += passed;
  } else {
    // Between two steps it is wave that works.
    retro_.working += passed;
  }
}

void RetroBuilder::note(Friction::Kind kind, const Event& event, std::string target) {
  if (retro_.friction.size() >= Retro::kMostFriction) {
    ++retro_.friction_left_out;
    return;
  }
  Friction friction;
  friction.kind = kind;
  friction.step = event.step;
  friction.visit = event.visit;
  friction.attempt = event.attempt;
  friction.failure_class = get_string(event.data, "failure_class");
  friction.code = get_string(event.data, "code");
  friction.message = bounded(get_string(event.data, "message"));
  if (friction.message.empty()) friction.message = bounded(get_string(event.data, "reason"));
  friction.target = std::move(target);
  friction.at = event.ts;
  retro_.friction.push_back(std::move(friction));
}

void RetroBuilder::add(const Event& event) {
  advance(event.ts);
  if (event.kind <= Kind::kRunCancelled) {
    add_run(event);
  } else if (event.kind <= Kind::kStepsReset) {
    add_step(event);
  } else {
    add_detail(event);
  }
}

void RetroBuilder::add_run(const Event& event) {
  switch (event.kind) {
    case Kind::kRunForked:
      retro_.origin_run_id = get_string(event.data, "origin_run_id");
      break;
    case Kind::kRunQueued:
      queued_ = true;
      if (retro_.queued_at) break;
      retro_.queued_at = event.ts;
      retro_.run_id = event.run_id;
      retro_.pipeline = get_string(event.data, "pipeline");
      retro_.actor = event.actor;
      break;
    case Kind::kRunStarted:
      retro_.started_at = event.ts;
      retro_.outcome = "running";
      queued_ = parked_ = false;
      break;
    case Kind::kRunResumed:
      retro_.outcome = "running";
      queued_ = parked_ = false;
      break;
    case Kind::kRunWaiting:
      retro_.outcome = "waiting";
      parked_ = true;
      break;
    case Kind::kRunCompleted:
      return end_run(event,
                     get_string(event.data, "status") == "empty" ? "completed_empty" : "completed");
    case Kind::kRunFailed:
      return end_run(event, "failed");
    case Kind::kRunRejected:
      return end_run(event, "rejected");
    case Kind::kRunCancelled:
      return end_run(event, "cancelled");
    default:
      break;
  }
}

void RetroBuilder::end_run(const Event& event, std::string_view outcome) {
  retro_.outcome = outcome;
  retro_.ended = true;
  retro_.finished_at = event.ts;
  retro_.failed_step = event.step;
  retro_.failure_class = get_string(event.data, "failure_class");
  retro_.error_code = get_string(event.data, "code");
  retro_.error_message = bounded(get_string(event.data, "message"));
  live_.clear();
  queued_ = parked_ = false;
}

void RetroBuilder::end_step(const Event& event, std::string_view status) {
  RetroStep& ended = step(event.step);
  ended.status = status;
  ended.failure_class = get_string(event.data, "failure_class");
  live_.erase(event.step);
}

void RetroBuilder::add_step(const Event& event) {
  RetroStep& of = step(event.step);
  Live& live = live_[event.step];
  switch (event.kind) {
    case Kind::kStepStarted:
      of.kind = get_string(event.data, "kind");
      if (!event.persona.empty()) of.persona = event.persona;
      of.status = "running";
      of.visits = std::max(of.visits, event.visit);
      ++of.attempts;
      live = {.working = of.kind != "gate", .waiting = false};
      break;
    case Kind::kStepCompleted:
      return end_step(
          event, get_string(event.data, "status") == "empty" ? "completed_empty" : "completed");
    case Kind::kStepFailed:
      if (get_bool(event.data, "tolerated")) note(Friction::Kind::kTolerated, event);
      return end_step(event, "failed");
    case Kind::kStepRejected:
      return end_step(event, "rejected");
    case Kind::kStepCancelled:
      return end_step(event, "cancelled");
    case Kind::kStepSkipped:
      return end_step(event, "skipped");
    case Kind::kStepRetrying:
      ++of.retries;
      ++retro_.retries;
      live = {.working = false, .waiting = true};
      note(Friction::Kind::kRetry, event);
      break;
    case Kind::kStepReworking:
      ++of.reworks;
      ++retro_.reworks;
      live = {.working = false, .waiting = true};
      note(Friction::Kind::kRework, event, std::string(get_string(event.data, "target")));
      break;
    case Kind::kStepInterrupted:
      ++of.interruptions;
      ++retro_.interruptions;
      live = {.working = false, .waiting = true};
      of.usage += usage_from_json(get_object(event.data, "usage"));
      retro_.usage += usage_from_json(get_object(event.data, "usage"));
      note(Friction::Kind::kInterruption, event);
      break;
    case Kind::kStepsReset:
      ++retro_.jumps;
      live_.erase(event.step);
      note(Friction::Kind::kJump, event, std::string(get_string(event.data, "target")));
      break;
    default:
      break;
  }
}

void RetroBuilder::add_detail(const Event& event) {
  const json::object& data = event.data;
  const auto add_usage = [&] {
    const Usage used = usage_from_json(get_object(data, "usage"));
    retro_.usage += used;
    if (!event.step.empty()) step(event.step).usage += used;
  };
  switch (event.kind) {
    case Kind::kAgentExited:
      add_usage();
      break;
    case Kind::kStreamActivity:
      if (get_string(data, "kind") != "tool_use" || !writes_files(get_string(data, "tool_name"))) {
        break;
      }
      if (retro_.files.size() < Retro::kMostFiles) {
        retro_.files.insert(bounded(get_string(data, "tool_target")));
      } else {
        retro_.files_complete = false;
      }
      break;
    case Kind::kArtifactCreated: {
      Artifact artifact = artifact_from_json(data);
      artifact.step = event.step;
      std::erase_if(retro_.artifacts, [&artifact](const Artifact& earlier) {
        return earlier.step == artifact.step && earlier.name == artifact.name;
      });
      retro_.artifacts.push_back(std::move(artifact));
      break;
    }
    case Kind::kContractPassed:
      add_usage();
      ++retro_.contracts_passed;
      break;
    case Kind::kContractFailed: {
      add_usage();
      note(Friction::Kind::kContract, event);
      ++step(event.step).failed_contracts;
      if (retro_.failed_contracts.size() >= Retro::kMostFriction) break;
      FailedContract failed;
      failed.step = event.step;
      failed.visit = event.visit;
      failed.attempt = event.attempt;
      failed.index = static_cast<int>(get_int(data, "index"));
      failed.type = get_string(data, "type");
      failed.policy = get_string(data, "policy");
      failed.message = bounded(get_string(data, "message"));
      failed.failure_class = get_string(data, "failure_class");
      failed.evaluable = get_bool(data, "evaluable", true);
      for (std::string& error : get_strings(data, "errors")) {
        if (failed.errors.size() < Retro::kMostErrors) failed.errors.push_back(bounded(error));
      }
      retro_.failed_contracts.push_back(std::move(failed));
      break;
    }
    case Kind::kCheckpointCreated:
      if (const auto ref = get_string(data, "ref"); !ref.empty() && !get_bool(data, "skipped")) {
        retro_.checkpoints.emplace_back(ref);
      }
      break;
    case Kind::kHookFailed:
      note(Friction::Kind::kHook, event);
      break;
    case Kind::kGateWaiting: {
      live_[event.step] = {.working = false, .waiting = true};
      const std::string id(get_string(data, "gate_id"));
      if (retro_.gates.size() >= Retro::kMostFriction) break;
      open_gates_[id] = {retro_.gates.size(), event.ts};
      RetroGate& gate = retro_.gates.emplace_back();
      gate.step = event.step;
      gate.gate_id = id;
      break;
    }
    case Kind::kGateResolved: {
      live_[event.step].waiting = false;
      const auto open = open_gates_.find(std::string(get_string(data, "gate_id")));
      if (open == open_gates_.end()) break;
      RetroGate& gate = retro_.gates[open->second.first];
      gate.outcome = get_string(data, "outcome");
      gate.choice = get_string(data, "choice");
      gate.by = get_string(data, "by");
      gate.waited = std::max(Millis(0), event.ts - open->second.second);
      open_gates_.erase(open);
      break;
    }
    case Kind::kWarningRaised:
    case Kind::kBudgetWarning:
      ++retro_.warnings;
      break;
    default:
      break;
  }
}

Retro RetroBuilder::finish() const {
  Retro retro = retro_;
  // steps_reset names no step of its own.
  std::erase_if(retro.steps, [](const RetroStep& each) { return each.step.empty(); });
  retro.smoothness = smoothness_of(retro);
  return retro;
}

}  // namespace wave::flow
