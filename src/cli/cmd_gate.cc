#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/run_text.h"
#include "cli/wait_for_run.h"
#include "process/agent_guard.h"

namespace wave::cli {
namespace {

constexpr Millis kPatience{10'000};

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

/// The gate that is meant: the one named by id, the waiting one of the named step, or the only one.
Result<flow::GateRow> find_gate(const store::RunDetails& details, const std::string& name) {
  std::vector<flow::GateRow> waiting;
  for (const flow::GateRow& gate : details.gates) {
    if (gate.gate_id == name) return gate;
    if (gate.resolved || (!name.empty() && gate.step != name)) continue;
    waiting.push_back(gate);
  }
  const std::string& run_id = details.row.run_id;
  if (waiting.size() == 1) {
    // A step that asked before may have been answered in another tab a moment ago: a stale click
    // must not decide its later visit (promise G3).
    const auto visits =
        std::ranges::count(details.gates, waiting.front().step, &flow::GateRow::step);
    if (visits == 1) return waiting.front();
    return fail(
        Code::kGateAmbiguous,
        fmt::format("step {} of run {} has asked {} times", waiting.front().step, run_id, visits),
        "name the gate: " + waiting.front().gate_id);
  }
  if (waiting.empty()) {
    const std::string where = name.empty() ? "" : " at '" + name + "'";
    return fail(Code::kConflict, fmt::format("run {} waits at no gate{}", run_id, where),
                "see: wave gate");
  }
  std::vector<std::string> ids;
  for (const flow::GateRow& gate : waiting) ids.push_back(gate.gate_id);
  return fail(Code::kGateAmbiguous, fmt::format("run {} waits at several gates", run_id),
              "name one of: " + join(ids, ", "));
}

Status check_choice(const flow::GateRow& gate, const GateOptions& options) {
  std::vector<std::string> keys;
  for (const json::value& choice : gate.choices) {
    if (choice.is_object()) keys.emplace_back(get_string(choice.get_object(), "key"));
  }
  const std::string known = keys.empty() ? "it has none" : "it has: " + join(keys, ", ");
  if (options.choice.empty() && !keys.empty()) {
    return fail(Code::kInvalidChoice, fmt::format("gate {} wants a choice", gate.gate_id),
                known + "; say it with --choice KEY");
  }
  if (!options.choice.empty() && std::ranges::find(keys, options.choice) == keys.end()) {
    return fail(Code::kInvalidChoice,
                fmt::format("gate {} has no choice '{}'", gate.gate_id, options.choice), known);
  }
  if (!options.text.empty() && !gate.freeform) {
    return fail(Code::kInvalidChoice, fmt::format("gate {} takes no text", gate.gate_id),
                "leave --text out");
  }
  return {};
}

Error standing_decision(const std::string& run_id, const flow::GateRow& gate) {
  return {Code::kGateDecided,
          fmt::format("gate {} has been decided: {}{}", gate.gate_id,
                      gate.choice.empty() ? gate.outcome : gate.choice,
                      gate.by.empty() ? "" : " by " + gate.by),
          "see: wave status " + run_id};
}

/// An agent does not approve its own work, nor that of its colleagues (promise G10).
Status refuse_agents(const Context& context) {
  const auto agent = process::calling_agent(context.environment());
  if (!agent) return {};
  return fail(Code::kGateSelfDecision,
              "this is called from inside an agent (" + *agent + "), which must not decide gates",
              "a person answers it, from a terminal of their own");
}

Result<int> decide(Context& context, RunAccess& runs, const store::RunDetails& details,
                   const GateOptions& options) {
  WAVE_CHECK(refuse_agents(context));
  const std::string& run_id = details.row.run_id;
  WAVE_TRY(const flow::GateRow gate, find_gate(details, options.gate));
  if (gate.resolved) return std::unexpected(standing_decision(run_id, gate));
  WAVE_CHECK(check_choice(gate, options));
  WAVE_CHECK(runs.decide({.run_id = run_id,
                          .step = gate.step,
                          .gate_id = gate.gate_id,
                          .choice = options.choice,
                          .text = options.text}));
  // The decision is stored. If nobody is there to carry it out, somebody is started who is.
  WAVE_CHECK(runs.see_to(details, false));
  WAVE_TRY(const bool carried_out,
           wait_until(runs, run_id, details.row.last_seq, kPatience, [&]() -> Result<bool> {
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
  WAVE_TRY(RunAccess * runs, context.runs(false));
  if (options.run.empty()) return list_gates(context, *runs, "");
  WAVE_TRY(const std::string run_id, runs->resolve(options.run));
  WAVE_TRY(const store::RunDetails details, runs->run(run_id));
  const bool only_look = options.choice.empty() && options.text.empty() && options.gate.empty();
  if (only_look) return list_gates(context, *runs, run_id);
  return decide(context, *runs, details, options);
}

}  // namespace wave::cli
