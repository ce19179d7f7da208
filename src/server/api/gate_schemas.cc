#include "server/api/add_schemas.h"
#include "server/api/schema_words.h"

namespace wave::server {

using namespace words;

void add_gate_schemas(Schemas& schemas) {
  schemas.add("GateChoice",
              object("One way to answer.",
                     {{"key", text("what a decision names")},
                      {"label", text("for people")},
                      {"target", nullable(text("the step it goes to; _fail: ends"))}}));
  schemas.add(
      "Gate",
      object("A question to a person.",
             {{"run_id", text("the run that asks")},
              {"gate_id", text("unique within the run, and per visit of the step")},
              {"step", text("the step that asks")},
              {"type", text("approval or timer")},
              {"prompt", text("what is asked")},
              {"choices", list_of(named("GateChoice"), "in the order they are shown")},
              {"freeform", flag("whether a text may go with the decision")},
              {"default_choice", nullable(text("the choice that its deadline makes"))},
              {"approvers", list_of(text("a subject, or role:NAME"),
                                    "who may answer; empty: everybody with the role operator")},
              {"forbid_self_approval", flag("whether who started the run may not answer")},
              {"may_answer", flag("whether you are one of those who may answer")},
              {"opened_at", nullable(time("when it was asked"))},
              {"deadline", nullable(time("when it ends by itself"))},
              {"resolved", flag("whether it has ended")},
              {"outcome", nullable(text("decided, default, timeout, timer, auto or withdrawn"))},
              {"choice", nullable(text("the choice that was made"))},
              {"text", nullable(text("what was written with it"))},
              {"by", nullable(text("who decided"))},
              {"via", nullable(text("cli, api or browser"))},
              {"decided_at", nullable(time("when"))}}));
  schemas.add("WaitingGate", object("A gate that waits, and the run it belongs to.",
                                    {{"gate", named("Gate")},
                                     {"pipeline", text("the run's pipeline")},
                                     {"input", nullable(text("the run's input, cut"))}}));
  schemas.add("GateList", page_of("gates", "WaitingGate"));
  schemas.add(
      "GateDecision",
      request(
          "An answer to a gate.",
          {{"gate_id", bounded_text("the gate; needed when its step has asked before", 512)},
           {"choice", bounded_text("the choice's key; left out: the gate has none", 256)},
           {"text", bounded_text("goes with the decision, where the gate takes one", 64 << 10)}}));
  schemas.add("GateDecided", object("The decision as it stands.",
                                    {{"run_id", text("the run")},
                                     {"step", text("the step")},
                                     {"step_id", text("the same, as older scripts know it")},
                                     {"gate_id", text("the gate")},
                                     {"choice", nullable(text("the choice's key"))},
                                     {"label", nullable(text("the choice's label"))},
                                     {"text", nullable(text("what was written with it"))},
                                     {"by", text("who decided")}}));
}

}  // namespace wave::server
