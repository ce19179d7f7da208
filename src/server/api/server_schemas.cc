#include "server/api/add_schemas.h"
#include "server/api/schema_words.h"

namespace wave::server {
namespace {

using namespace words;

void add_queue(Schemas& schemas) {
  schemas.add("QueueEntry",
              object("A run, as the queue sees it.",
                     {{"run_id", text("the run")},
                      {"pipeline", text("its pipeline")},
                      {"actor", nullable(text("who started it"))},
                      {"status", named("RunStatus")},
                      {"resuming", flag("was running before and can go on")},
                      {"position", nullable(integer("place in the queue; null: it has a slot, "
                                                    "or wants none",
                                                    1))},
                      {"why", text("what holds the slot, or what it waits for")},
                      {"since", nullable(time("for how long"))}}));
  schemas.add(
      "Queue",
      object("One moment of the queue.",
             {{"max_concurrent", integer("how many slots there are")},
              {"draining", flag("nothing new starts")},
              {"waiting_total", integer("how many wait; each list shows the first 1,000")},
              {"running", list_of(named("QueueEntry"), "hold a slot")},
              {"waiting", list_of(named("QueueEntry"), "for a slot, in order")},
              {"parked", list_of(named("QueueEntry"), "wait for something else, hold none")},
              {"elsewhere", list_of(named("QueueEntry"), "driven by a command line")}}));
  json::object slots = integer("how many top-level runs may run at the same time", 1);
  slots["maximum"] = 1000;
  json::object patch = request("What to change; at least one.",
                               {{"max_concurrent", std::move(slots)},
                                {"draining", flag("true: what runs ends, nothing new starts")}});
  patch["minProperties"] = 1;
  schemas.add("QueuePatch", std::move(patch));
}

void add_health(Schemas& schemas) {
  schemas.add("Health",
              object("The server is alive. Details are for those who may read.",
                     {{"status", one_of("it answers", {"ok"})},
                      {"demo", flag("it serves the demo project, and asks nobody for anything"),
                       kSometimes},
                      {"version", text("of wave"), kSometimes},
                      {"uptime_ms", integer("since its start"), kSometimes},
                      {"started_at", time("when"), kSometimes},
                      {"auth", text("how callers show who they are"), kSometimes},
                      {"actor", text("who you are"), kSometimes},
                      {"role", text("what you may do"), kSometimes}}));
  schemas.add("HealthCheck", object("One thing that was looked at.",
                                    {{"name", text("what")},
                                     {"status", one_of("how", {"ok", "failed"})},
                                     {"message", nullable(text("why not"))},
                                     {"hint", nullable(text("what to do about it"))}}));
  schemas.add(
      "Readiness",
      object("Whether it takes new work. The checks are for those who may read.",
             {{"status", one_of("whether it does", {"ready", "not_ready"})},
              {"checks", list_of(named("HealthCheck"), "what was looked at"), kSometimes}}));
}

}  // namespace

void add_server_schemas(Schemas& schemas) {
  schemas.add(
      "ProblemError",
      object("One thing that is wrong with a request.",
             {{"pointer", text("JSON pointer into the body, or '?' and the parameter's name"),
               kSometimes},
              {"source", text("file:line:column in a file of yours"), kSometimes},
              {"message", text("what is wrong with it")},
              {"hint", text("what to do about it"), kSometimes}}));
  schemas.add(
      "Problem",
      object("An error (RFC 9457).",
             {{"type", text("about:blank, or a page about the code")},
              {"title", text("the status in words")},
              {"status", integer("the HTTP status", 400)},
              {"detail", text("what happened, to what"), kSometimes},
              {"code", text("a stable error code")},
              {"reason", text("a finer code, where there is one"), kSometimes},
              {"hint", text("what to do next"), kSometimes},
              {"source", text("file:line:column in a file of yours"), kSometimes},
              {"errors", list_of(named("ProblemError"), "what is wrong, one by one"), kSometimes},
              {"diagnostics", list_of(named("Diagnostic"), "what is wrong with files"), kSometimes},
              {"standing", named("GateDecided"), kSometimes},
              {"retryable", flag("whether trying the same again can help"), kSometimes},
              {"request_id", text("names this request in the server's log")}}));
  add_queue(schemas);
  add_health(schemas);
}

}  // namespace wave::server
