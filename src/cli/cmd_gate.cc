#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/run_session.h"
#include "cli/run_text.h"
#include "cli/wait_for_run.h"
#include "engine/gate_decision.h"
#include "process/agent_guard.h"
#include "store/owner_lock.h"

namespace wave::cli {
namespace {

constexpr Millis kPatience{10'000};

Result<int> list_gates(Context& context, store::Store& store, const std::string& run_id) {
  WAVE_TRY(const auto waiting, store.waiting_gates());
  json::array list;
  std::string text;
  for (const auto& [run, gate] : waiting) {
    if (!run_id.empty() && run != run_id) continue;
    list.push_back(gate_json(run, gate));
    text += (text.empty() ? "" : "\n") + gate_text(run, gate);
  }
  if (context.json()) {
    context.print_json(json::object{{"gates", std::move(list)}});
  } else {
    context.print(text.empty() ? "no gate waits\n" : text);
  }
  return 0;
}

/// An agent does not approve its own work, nor that of its colleagues (promise G10).
Status refuse_agents(const Context& context) {
  const auto agent = process::calling_agent(context.environment());
  if (!agent) return {};
  return fail(Code::kGateSelfDecision,
              "this is called from inside an agent (" + *agent + "), which must not decide gates",
              "a person answers it, from a terminal of their own");
}

Result<int> decide(Context& context, store::Store& store, const store::RunDetails& details,
                   const GateOptions& options) {
  WAVE_CHECK(refuse_agents(context));
  const std::string& run_id = details.row.run_id;
  engine::GateDecision decision;
  decision.choice = options.choice;
  decision.text = options.text;
  decision.actor = context.actor();
  decision.via = "cli";
  // People name the gate or its step; a step's name is no gate's id.
  const bool is_id = std::ranges::find(details.gates, options.gate, &flow::GateRow::gate_id) !=
                     details.gates.end();
  (is_id ? decision.gate_id : decision.step) = options.gate;
  WAVE_TRY(const flow::GateRow gate,
           engine::decide_gate(store, details, decision, SystemClock().wall()));
  // The decision is stored. If nobody is there to carry it out, somebody is started who is.
  if (details.row.waiting_reason != "stopped" &&
      !store::OwnerLock::is_held(context.paths(), run_id)) {
    WAVE_CHECK(spawn_owner(context, run_id));
  }
  WAVE_TRY(const bool carried_out, wait_until(store, kPatience, [&]() -> Result<bool> {
             WAVE_TRY(const store::RunDetails now, store.run(run_id));
             return std::ranges::any_of(now.gates, [&gate](const flow::GateRow& row) {
               return row.gate_id == gate.gate_id && row.resolved;
             });
           }));
  if (context.json()) {
    context.print_json(json::object{{"run_id", run_id},
                                    {"gate_id", gate.gate_id},
                                    {"step", gate.step},
                                    {"choice", options.choice},
                                    {"text", options.text},
                                    {"carried_out", carried_out}});
  } else {
    context.print(fmt::format("{} {}: {}\n", run_id, gate.gate_id,
                              options.choice.empty() ? "answered" : options.choice));
    if (!carried_out) {
      context.note("the decision is stored; the run has not taken it up yet (wave resume " +
                   run_id + ")\n");
    }
  }
  return 0;
}

}  // namespace

Result<int> run_gate(Context& context, const GateOptions& options) {
  WAVE_TRY(store::Store * store, context.open_store(false));
  if (options.run.empty()) return list_gates(context, *store, "");
  WAVE_TRY(const std::string run_id, store->resolve_run(options.run));
  WAVE_TRY(const store::RunDetails details, store->run(run_id));
  const bool only_look = options.choice.empty() && options.text.empty() && options.gate.empty();
  if (only_look) return list_gates(context, *store, run_id);
  return decide(context, *store, details, options);
}

}  // namespace wave::cli
