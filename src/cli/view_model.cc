#include "cli/view_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"
#include "base/text.h"
#include "flow/event_text.h"

namespace wave::cli {
namespace {

using flow::activity_line;
using flow::budget_text;

constexpr size_t kMaxLine = 400;  // bytes kept of any one text

std::string one_line(std::string_view text) {
  return printable(excerpt(trim(text), kMaxLine));
}

UsageView usage_of(const json::object& event) {
  const json::object& usage = get_object(event, "usage");
  return {.tokens = get_int(usage, "tokens_in") + get_int(usage, "tokens_out") +
                    get_int(usage, "tokens_cache_write"),
          .cost_usd = get_double(usage, "cost_usd")};
}

std::string failure_note(const json::object& event) {
  for (const char* field : {"message", "reason", "code"}) {
    if (std::string note = one_line(get_string(event, field)); !note.empty()) return note;
  }
  return {};
}

std::string skip_note(const json::object& event) {
  const std::string_view reason = get_string(event, "reason");
  if (reason == "filtered") return "left out";
  if (reason == "dependency") {
    return one_line(fmt::format("{} did not complete", get_string(event, "dependency")));
  }
  if (reason == "jumped_over") return "not on the way the gate chose";
  if (const std::string_view message = get_string(event, "message"); !message.empty()) {
    return one_line(message);
  }
  return std::string(reason);
}

std::string_view status_after(std::string_view kind, const json::object& event) {
  if (kind == "step_started") return "running";
  if (kind == "step_completed") {
    return get_string(event, "status") == "empty" ? "completed_empty" : "completed";
  }
  if (kind == "step_failed") return "failed";
  if (kind == "step_rejected") return "rejected";
  if (kind == "step_cancelled") return "cancelled";
  if (kind == "step_skipped") return "skipped";
  if (kind == "step_retrying") return "retrying";
  if (kind == "step_reworking") return "reworking";
  if (kind == "step_interrupted") return "interrupted";
  if (kind == "step_waiting") return "waiting";
  return {};
}

bool ends_visit(std::string_view status) {
  return status == "completed" || status == "completed_empty" || status == "failed" ||
         status == "rejected" || status == "cancelled" || status == "skipped";
}

}  // namespace

ViewModel::ViewModel(std::string id, std::string name,
                     const std::vector<std::pair<std::string, std::string>>& step_list)
    : run_id(std::move(id)), pipeline(std::move(name)) {
  for (const auto& [step, persona] : step_list) {
    StepView view;
    view.id = step;
    view.persona = persona;
    steps.push_back(std::move(view));
  }
}

bool ViewModel::apply(std::string_view line) {
  const Result<json::value> parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return false;
  const json::object& event = parsed->get_object();
  const std::string_view kind = get_string(event, "event");
  const auto seq = static_cast<uint64_t>(get_int(event, "seq"));
  if (kind.empty() || seq == 0) return false;
  if (seq <= last_seq) return true;
  last_seq = seq;
  const WallTime at = parse_time(get_string(event, "ts")).value_or(WallTime{});
  if (kind.starts_with("run_")) {
    apply_run(kind, event, at);
  } else if (kind.starts_with("step_") || kind == "steps_reset") {
    apply_step(kind, event, at);
  } else {
    apply_detail(kind, event);
  }
  return true;
}

void ViewModel::apply_run(std::string_view kind, const json::object& event, WallTime at) {
  if (kind == "run_queued") {
    status = "queued";
  } else if (kind == "run_started" || kind == "run_resumed") {
    status = "running";
    waiting_reason.clear();
    stopping = false;
    if (!started) started = at;
  } else if (kind == "run_waiting") {
    status = "waiting";
    waiting_reason = get_string(event, "reason");
  } else if (kind == "run_wait_ended") {
    for (StepView& step : steps) {
      if (!std::exchange(step.lacks_disk, false)) continue;
      step.status = "running";
      step.note.clear();
    }
  } else if (kind == "run_cancel_requested") {
    cancelling = true;
  } else if (kind == "run_stop_requested") {
    stopping = true;
  } else if (kind == "run_completed") {
    status = get_string(event, "status") == "empty" ? "completed_empty" : "completed";
    finished = at;
  } else if (kind == "run_failed" || kind == "run_rejected" || kind == "run_cancelled") {
    status = kind.substr(4);
    finished = at;
    error_code = get_string(event, "code");
    error_message = one_line(get_string(event, "message"));
    failed_step = get_string(event, "failed_step", get_string(event, "step"));
  }
  if (is_terminal()) gates.clear();
}

void ViewModel::apply_step(std::string_view kind, const json::object& event, WallTime at) {
  if (kind == "steps_reset") {
    for (const std::string& name : get_strings(event, "steps")) {
      if (StepView* step = step_named(name)) {
        step->status = "pending";
        step->started = step->finished = std::nullopt;
        step->activity.clear();
        step->note.clear();
      }
    }
    return;
  }
  StepView* step = step_named(get_string(event, "step"));
  const std::string_view next = status_after(kind, event);
  if (step == nullptr || next.empty()) return;
  step->status = next;
  step->lacks_disk = kind == "step_waiting";
  const auto visit = static_cast<int>(get_int(event, "visit"));
  if (kind == "step_started") {
    if (!step->started || visit != step->visit) step->started = at;
    step->finished.reset();
    if (const std::string_view persona = get_string(event, "persona"); !persona.empty()) {
      step->persona = persona;
    }
    step->note.clear();
  }
  if (visit > 0) step->visit = visit;
  if (const int64_t attempt = get_int(event, "attempt"); attempt > 0) {
    step->attempt = static_cast<int>(attempt);
  }
  if (kind == "step_failed" || kind == "step_rejected" || kind == "step_retrying" ||
      kind == "step_interrupted" || kind == "step_reworking" || kind == "step_waiting") {
    step->note = failure_note(event);
    step->tolerated = get_bool(event, "tolerated");
  }
  if (kind == "step_skipped") step->note = skip_note(event);
  if (kind == "step_reworking") {
    step->note = fmt::format("{} repairs it: {}", get_string(event, "target"), step->note);
  }
  if (kind != "step_started" || step->attempt > 1) step->activity.clear();
  if (ends_visit(step->status)) step->finished = at;
}

void ViewModel::apply_detail(std::string_view kind, const json::object& event) {
  StepView* step = step_named(get_string(event, "step"));
  // The agent's own use, and that of a reviewer. The ends of steps and runs repeat the sums.
  if (kind == "agent_exited" || kind == "contract_passed" || kind == "contract_failed") {
    add_usage(step, usage_of(event));
  }
  if (kind == "stream_activity") {
    if (step == nullptr) return;
    if (std::string line = activity_line(event); !line.empty()) step->activity = std::move(line);
  } else if (kind == "agent_exited") {
    if (step == nullptr) return;
    step->activity = "checking its work";
  } else if (kind == "contract_failed") {
    if (step != nullptr) {
      step->note = fmt::format("{}: {}", get_string(event, "type", "contract"),
                               one_line(get_string(event, "message")));
    }
  } else if (kind == "gate_waiting") {
    GateView gate = gate_from_event(event);
    if (step != nullptr) {
      step->status = "waiting";
      step->activity.clear();
    }
    close_gate(gate.gate_id);
    // A timer asks nobody.
    if (gate.type == "timer") {
      if (step != nullptr && gate.deadline) step->note = "until " + format_time(*gate.deadline);
    } else {
      gates.push_back(std::move(gate));
    }
  } else if (kind == "gate_resolved") {
    close_gate(get_string(event, "gate_id"));
    if (step != nullptr && step->status == "waiting") {
      step->status = "running";
      const std::string_view choice = get_string(event, "label", get_string(event, "choice"));
      step->note = one_line(choice.empty() ? get_string(event, "outcome") : choice);
    }
  } else if (kind == "artifact_created") {
    // A later attempt's stands for the earlier one's.
    std::erase_if(artifacts, [&event](const ArtifactView& artifact) {
      return artifact.step == get_string(event, "step") &&
             artifact.name == one_line(get_string(event, "name"));
    });
    artifacts.push_back({.step = std::string(get_string(event, "step")),
                         .name = one_line(get_string(event, "name")),
                         .path = one_line(get_string(event, "path")),
                         .size = get_int(event, "size")});
  } else if (kind == "warning_raised" || kind == "hook_failed") {
    warn(one_line(get_string(event, "message", kind)));
  } else if (kind == "budget_warning") {
    warn(budget_text(event));
  }
}

void ViewModel::add_usage(StepView* step, const UsageView& used) {
  usage.tokens += used.tokens;
  usage.cost_usd += used.cost_usd;
  if (step == nullptr) return;
  step->usage.tokens += used.tokens;
  step->usage.cost_usd += used.cost_usd;
}

void ViewModel::warn(std::string message) {
  warnings.push_back(std::move(message));
  if (warnings.size() > kMaxWarnings) warnings.erase(warnings.begin());
}

void ViewModel::close_gate(std::string_view gate_id) {
  std::erase_if(gates, [gate_id](const GateView& gate) { return gate.gate_id == gate_id; });
}

StepView* ViewModel::step_named(std::string_view step) {
  const auto found = std::ranges::find(steps, step, &StepView::id);
  return found == steps.end() ? nullptr : &*found;
}

const StepView* ViewModel::find(std::string_view step) const {
  const auto found = std::ranges::find(steps, step, &StepView::id);
  return found == steps.end() ? nullptr : &*found;
}

bool ViewModel::is_terminal() const {
  return status == "completed" || status == "completed_empty" || status == "failed" ||
         status == "rejected" || status == "cancelled";
}

GateView gate_from_event(const json::object& event) {
  GateView gate;
  gate.gate_id = get_string(event, "gate_id");
  gate.step = get_string(event, "step");
  gate.type = get_string(event, "type");
  gate.prompt = get_string(event, "prompt");
  gate.default_choice = get_string(event, "default");
  gate.freeform = get_bool(event, "freeform");
  gate.deadline = parse_time(get_string(event, "deadline"));
  for (const json::value& choice : get_array(event, "choices")) {
    if (!choice.is_object()) continue;
    const std::string key(get_string(choice.get_object(), "key"));
    gate.choices.push_back(
        {.key = key, .label = std::string(get_string(choice.get_object(), "label", key))});
  }
  return gate;
}

}  // namespace wave::cli
