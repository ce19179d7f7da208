#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/run_text.h"
#include "cli/wait_for_run.h"
#include "engine/gate_decision.h"
#include "process/agent_guard.h"

namespace wave::cli {
namespace {

constexpr Millis kAnswerDeadline{10'000};

Result<int> list_gates(Context& context, RunAccess& runs, const std::string& run_id) {
  WAVE_TRY(const auto waiting, runs.waiting_gates());
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

/// The gate that is meant, by its id, its step, or because it is the only one that waits. Whether
/// it may be answered like that is decided where the decision is stored, for every door alike.
Result<flow::GateRow> meant_gate(const store::RunDetails& details, const std::string& name) {
  engine::GateDecision asked;
  const bool is_id =
      std::ranges::find(details.gates, name, &flow::GateRow::gate_id) != details.gates.end();
  (is_id ? asked.gate_id : asked.step) = name;
  return engine::find_gate(details, asked);
}

/// An agent does not approve its own work, nor that of its colleagues (promise G10).
Status refuse_own_decision(const Context& context) {
  const auto agent = process::calling_agent(context.environment());
  if (!agent) return {};
  return fail(Code::kGateSelfDecision,
              "this is called from inside an agent (" + *agent + "), which must not decide gates",
              "a person answers it, from a terminal of their own");
}

Result<int> decide(Context& context, RunAccess& runs, const store::RunDetails& details,
                   const GateOptions& options) {
  WAVE_CHECK(refuse_own_decision(context));
  const std::string& run_id = details.row.run_id;
  WAVE_TRY(const flow::GateRow gate, meant_gate(details, options.gate));
  WAVE_CHECK(runs.decide({.run_id = run_id,
                          .step = gate.step,
                          .gate_id = gate.gate_id,
                          .choice = options.choice,
                          .text = options.text}));
  // The decision is stored. If nobody is there to carry it out, somebody is started who is.
  WAVE_CHECK(runs.see_to(details, false));
  WAVE_TRY(const bool carried_out,
           wait_until(runs, run_id, details.row.last_seq, kAnswerDeadline, [&]() -> Result<bool> {
             WAVE_TRY(const store::RunDetails now, runs.run(run_id));
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
  const bool only_look = options.run.empty() ||
                         (options.choice.empty() && options.text.empty() && options.gate.empty());
  WAVE_TRY(RunAccess * runs, context.runs(only_look ? Access::kRead : Access::kWrite));
  if (options.run.empty()) return list_gates(context, *runs, "");
  WAVE_TRY(const std::string run_id, runs->resolve(options.run));
  WAVE_TRY(const store::RunDetails details, runs->run(run_id));
  if (only_look) return list_gates(context, *runs, run_id);
  return decide(context, *runs, details, options);
}

}  // namespace wave::cli
