// Deciding gates: the same rules for everybody who may (promises G2 to G4).
#pragma once

#include <optional>
#include <string>

#include "engine/gate_approval.h"
#include "store/store.h"

namespace wave::engine {

struct GateDecision {
  std::string step;     // the step that asks; empty: not said
  std::string gate_id;  // the gate; empty: the only one that waits
  std::string choice, text;
  std::string actor, via;  // via: cli, api, browser
  Person person;           // who the actor is
  std::string idempotency_key;
  std::optional<store::AuditEntry> audit{};  // stored with the decision, in the same transaction
};

/// The gate that a decision is about, decided or not. kGateAmbiguous, kConflict and kNotFound as
/// decide_gate has them.
Result<flow::GateRow> find_gate(const store::RunDetails& details, const GateDecision& decision);

/// Stores the decision; the run's owner carries it out. Returns the gate as it was when it was
/// decided. kGateDecided when another decision stands, kGateAmbiguous when `gate_id` is needed
/// (several wait, or the step has asked before: a stale click must not decide a later visit),
/// kConflict when nothing waits, kNotFound for a gate that the step does not have, kInvalidChoice;
/// kPermissionDenied and kGateSelfDecision as check_person has them.
Result<flow::GateRow> decide_gate(store::Store& store, const store::RunDetails& details,
                                  const GateDecision& decision, WallTime now);

/// The decision that stands, as far as it is known.
struct StandingDecision {
  std::string choice, text, by, via, outcome;
};
Result<StandingDecision> standing_decision(store::Store& store, const std::string& run_id,
                                           const flow::GateRow& gate);

/// The label of one of the gate's choices; empty when it has none of that key.
std::string choice_label(const flow::GateRow& gate, std::string_view key);

}  // namespace wave::engine
