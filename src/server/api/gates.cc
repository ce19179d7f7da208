#include "base/system_fault.h"
#include "base/text.h"
#include "engine/gate_decision.h"
#include "server/api/handlers.h"
#include "server/api/peer_guard.h"
#include "server/api/problem.h"
#include "server/api/run_json.h"

namespace wave::server::api {
namespace {

constexpr size_t kMostGateInput = 500;

json::object decided_json(const std::string& run_id, const flow::GateRow& gate,
                          const engine::StandingDecision& decision) {
  return {{"run_id", run_id},
          {"step", gate.step},
          {"step_id", gate.step},
          {"gate_id", gate.gate_id},
          {"choice", text_or_null(decision.choice)},
          {"label", text_or_null(engine::choice_label(gate, decision.choice))},
          {"text", text_or_null(decision.text)},
          {"by", decision.by}};
}

/// An agent does not approve its own work, nor that of its colleagues (promise G10).
Status refuse_agents(const Call& call) {
  const ShortageWatch watch;
  const auto agent = agent_behind(call.request.peer);
  if (!agent) {
    // Whom it could not look at may be an agent.
    if (auto shortage = watch.seen()) return fail(*std::move(shortage));
    return {};
  }
  return fail(Code::kGateSelfDecision,
              "this is called from inside an agent (" + *agent + "), which must not decide gates",
              "a person answers it, from a terminal or browser of their own");
}

/// The gate of the step whose decision stands, for the answer to whoever came second.
const flow::GateRow* standing_gate(const store::RunDetails& details, const std::string& step,
                                   const std::string& gate_id) {
  const flow::GateRow* last = nullptr;
  for (const flow::GateRow& gate : details.gates) {
    if (gate.step != step || (!gate_id.empty() && gate.gate_id != gate_id)) continue;
    last = &gate;
  }
  return last;
}

}  // namespace

Result<http::Response> list_gates(Call& call) {
  store::Store& store = call.services.store;
  WAVE_TRY(const auto waiting, store.waiting_gates());
  std::string only = call.text("run");
  if (!only.empty()) {
    WAVE_TRY(only, store.resolve_run(only));
  }
  std::map<std::string, flow::RunRow> runs;
  json::array gates;
  for (const auto& [run_id, gate] : waiting) {
    if (!only.empty() && run_id != only) continue;
    auto known = runs.find(run_id);
    if (known == runs.end()) {
      auto details = store.run(run_id);
      if (!details) continue;  // it has ended in the meantime
      known = runs.emplace(run_id, std::move(details->row)).first;
    }
    gates.push_back(
        json::object{{"gate", gate_json(known->second, gate, person_of(call.identity))},
                     {"pipeline", known->second.pipeline},
                     {"input", text_or_null(excerpt(known->second.input, kMostGateInput))}});
  }
  return whole_list("gates", std::move(gates));
}

Result<http::Response> decide_gate(Call& call) {
  WAVE_CHECK(refuse_agents(call));
  store::Store& store = call.services.store;
  WAVE_TRY(const store::RunDetails details, run_of(call));
  const json::object& body = call.body.get_object();
  engine::GateDecision decision;
  decision.step = call.text("step");
  WAVE_CHECK(check_step(details, decision.step));
  decision.gate_id = get_string(body, "gate_id");
  decision.choice = get_string(body, "choice");
  decision.text = get_string(body, "text");
  decision.actor = call.identity.actor();
  decision.via = via(call);
  decision.person = person_of(call.identity);
  WAVE_TRY(decision.idempotency_key, idempotency_key(call));
  // Without an id a step that has asked once means that gate, also when it was answered just now:
  // whoever comes second is told what stands.
  if (decision.gate_id.empty()) {
    const auto asked = std::ranges::count(details.gates, decision.step, &flow::GateRow::step);
    if (asked == 1) decision.gate_id = standing_gate(details, decision.step, "")->gate_id;
  }
  decision.audit = call.audit(200);
  const std::string& run_id = details.row.run_id;
  const auto gate = engine::decide_gate(store, details, decision, SystemClock().wall());
  if (gate) {
    return json_response(decided_json(run_id, *gate,
                                      {.choice = decision.choice,
                                       .text = decision.text,
                                       .by = decision.actor,
                                       .via = decision.via,
                                       .outcome = "decided"}));
  }
  const flow::GateRow* const asked = standing_gate(details, decision.step, decision.gate_id);
  if (gate.error().code != Code::kGateDecided || asked == nullptr) return fail(gate.error());
  WAVE_TRY(const auto standing, engine::standing_decision(store, run_id, *asked));
  return problem_with(gate.error(), call.request.id,
                      {{"standing", decided_json(run_id, *asked, standing)}});
}

}  // namespace wave::server::api
