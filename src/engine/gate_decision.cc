#include "engine/gate_decision.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace wave::engine {
namespace {

/// A step that the run does not have is nothing that it might still come to.
Status check_step_exists(const store::RunDetails& details, const std::string& step) {
  if (step.empty()) return {};
  std::vector<std::string> known;
  for (const flow::StepRow& row : details.steps) known.push_back(row.step);
  const bool is_known =
      std::ranges::find(known, step) != known.end() ||
      std::ranges::find(details.gates, step, &flow::GateRow::step) != details.gates.end();
  if (is_known) return {};
  const auto meant = did_you_mean(step, known);
  return fail(Code::kNotFound,
              fmt::format("run {} has no step or gate '{}'", details.row.run_id, step),
              meant ? fmt::format("did you mean '{}'?", *meant) : "wave gate lists what waits");
}

/// Whether `name` (an id, or a step's) is what was asked for.
bool is_meant(const flow::GateRow& gate, const GateDecision& decision) {
  return decision.step.empty() || gate.step == decision.step;
}

Status check_choice(const flow::GateRow& gate, const GateDecision& decision) {
  std::vector<std::string> keys;
  for (const json::value& choice : gate.choices) {
    if (choice.is_object()) keys.emplace_back(get_string(choice.get_object(), "key"));
  }
  const std::string known = keys.empty() ? "it has none" : "it has: " + join(keys, ", ");
  if (decision.choice.empty() && !keys.empty()) {
    return fail(Code::kInvalidChoice, fmt::format("gate {} wants a choice", gate.gate_id), known);
  }
  if (!decision.choice.empty() && std::ranges::find(keys, decision.choice) == keys.end()) {
    return fail(Code::kInvalidChoice,
                fmt::format("gate {} has no choice '{}'", gate.gate_id, decision.choice), known);
  }
  if (!decision.text.empty() && !gate.freeform) {
    return fail(Code::kInvalidChoice, fmt::format("gate {} takes no text", gate.gate_id),
                "leave the text out");
  }
  return {};
}

Error already_decided(store::Store& store, const std::string& run_id, const flow::GateRow& gate) {
  const StandingDecision standing =
      standing_decision(store, run_id, gate).value_or(StandingDecision{});
  return {Code::kGateDecided,
          fmt::format("gate {} has been decided: {}{}", gate.gate_id,
                      standing.choice.empty() ? standing.outcome : standing.choice,
                      standing.by.empty() ? "" : " by " + standing.by),
          "see: wave status " + run_id};
}

}  // namespace

Result<flow::GateRow> find_gate(const store::RunDetails& details, const GateDecision& decision) {
  const std::string& run_id = details.row.run_id;
  WAVE_CHECK(check_step_exists(details, decision.step));
  std::vector<flow::GateRow> waiting;
  for (const flow::GateRow& gate : details.gates) {
    if (!is_meant(gate, decision)) continue;
    if (!decision.gate_id.empty() && gate.gate_id == decision.gate_id) return gate;
    if (!gate.resolved) waiting.push_back(gate);
  }
  const std::string where =
      decision.step.empty() ? "" : fmt::format(" at step '{}'", decision.step);
  if (!decision.gate_id.empty()) {
    return fail(Code::kNotFound,
                fmt::format("run {} has no gate '{}'{}", run_id, decision.gate_id, where),
                "wave gate lists what waits");
  }
  if (waiting.size() == 1) {
    const auto visits =
        std::ranges::count(details.gates, waiting.front().step, &flow::GateRow::step);
    if (visits == 1) return waiting.front();
    return fail(
        Code::kGateAmbiguous,
        fmt::format("step {} of run {} has asked {} times", waiting.front().step, run_id, visits),
        "name the gate: " + waiting.front().gate_id);
  }
  if (waiting.empty()) {
    return fail(Code::kConflict, fmt::format("run {} waits at no gate{}", run_id, where),
                "wave gate lists what waits");
  }
  std::vector<std::string> ids;
  for (const flow::GateRow& gate : waiting) ids.push_back(gate.gate_id);
  return fail(Code::kGateAmbiguous, fmt::format("run {} waits at several gates", run_id),
              "name one of: " + join(ids, ", "));
}

Result<StandingDecision> standing_decision(store::Store& store, const std::string& run_id,
                                           const flow::GateRow& gate) {
  StandingDecision standing{.choice = gate.choice,
                            .text = gate.text,
                            .by = gate.by,
                            .via = gate.via,
                            .outcome = gate.outcome};
  WAVE_TRY(const auto command, store.gate_command(run_id, gate.gate_id));
  if (!command) return standing;
  standing.choice = get_string(command->payload, "choice");
  standing.text = get_string(command->payload, "text");
  standing.by = command->actor;
  standing.via = command->via;
  if (standing.outcome.empty()) standing.outcome = "decided";
  return standing;
}

std::string choice_label(const flow::GateRow& gate, std::string_view key) {
  for (const json::value& choice : gate.choices) {
    if (choice.is_object() && get_string(choice.get_object(), "key") == key) {
      return std::string(get_string(choice.get_object(), "label"));
    }
  }
  return {};
}

Result<flow::GateRow> decide_gate(store::Store& store, const store::RunDetails& details,
                                  const GateDecision& decision, WallTime now) {
  const std::string& run_id = details.row.run_id;
  WAVE_TRY(flow::GateRow gate, find_gate(details, decision));
  WAVE_CHECK(check_person(gate, details.row.actor, decision.person));
  // The same key gets the same answer, also when the decision has been carried out by now.
  if (gate.resolved && decision.idempotency_key.empty()) {
    return fail(already_decided(store, run_id, gate));
  }
  WAVE_CHECK(check_choice(gate, decision));
  store::Command command;
  command.run_id = run_id;
  command.kind = "gate";
  command.gate_id = gate.gate_id;
  command.payload = {{"choice", decision.choice}, {"text", decision.text}};
  command.actor = decision.actor;
  command.via = decision.via;
  command.idempotency_key = decision.idempotency_key;
  command.created_at = now;
  command.audit = decision.audit;
  if (const auto submitted = store.submit_command(command); !submitted) {
    if (submitted.error().code != Code::kGateDecided) return fail(submitted.error());
    return fail(already_decided(store, run_id, gate));
  }
  return gate;
}

}  // namespace wave::engine
