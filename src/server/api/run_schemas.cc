// What runs look like from outside: run_json.cc writes it.
#include "server/api/add_schemas.h"
#include "server/api/schema_words.h"

namespace wave::server {
namespace {

using namespace words;

constexpr size_t kMostRunInput = 512 << 10;
constexpr size_t kMostName = 256;

/// A name, never a path (promise A9).
json::object pipeline_name() {
  json::object schema = bounded_text("the pipeline's name", kMostName, 1);
  schema["pattern"] = "^[A-Za-z0-9_][A-Za-z0-9._-]*$";
  return schema;
}

json::object tags() {
  json::object schema = map_of(bounded_text("its value", 1024), "labels of the caller's own");
  schema["maxProperties"] = 64;
  schema["propertyNames"] = json::object{{"minLength", 1}, {"maxLength", 128}};
  return schema;
}

json::object step_names(std::string_view meaning) {
  json::object schema = list_of(bounded_text("a step's id", kMostName, 1), meaning);
  schema["maxItems"] = 1000;
  return schema;
}

json::object step_timeout() {
  json::object schema = integer("the timeout of each step, milliseconds", 1);
  schema["maximum"] = 366LL * 24 * 3600 * 1000;
  return schema;
}

void add_parts(Schemas& schemas) {
  schemas.add("RunStatus", one_of("Where a run stands.",
                                  {"queued", "running", "waiting", "completed", "completed_empty",
                                   "failed", "rejected", "cancelled"}));
  schemas.add("StepStatus", one_of("Where a step stands.",
                                   {"pending", "ready", "running", "waiting", "retrying",
                                    "reworking", "interrupted", "completed", "completed_empty",
                                    "skipped", "failed", "rejected", "cancelled"}));
  schemas.add("Usage",
              object("Tokens and money.",
                     {{"tokens_in", integer("tokens that were sent")},
                      {"tokens_out", integer("tokens that came back")},
                      {"tokens_cache_read", integer("tokens that were read from a cache")},
                      {"tokens_cache_write", integer("tokens that were written to a cache")},
                      {"cost_usd", number("US dollars")}}));
  schemas.add("Failure",
              object("Why something failed.", {{"code", text("a stable error code")},
                                               {"message", text("what happened, for people")}}));
}

std::vector<Member> run_members() {
  return {
      {"run_id", text("names the run; opaque")},
      {"pipeline", text("the pipeline's name")},
      {"status", named("RunStatus")},
      {"resuming", flag("queued, but was running before and can go on")},
      {"waiting_reason", nullable(text("gate, disk, timer, rate_limit, stopped or shutdown"))},
      {"queue_position", nullable(integer("place in the queue; null: it waits for no slot", 1))},
      {"actor", nullable(text("who started it"))},
      {"input", nullable(text("what it was started with; cut in lists"))},
      {"tags", map_of(text("its value"), "labels of the caller's own")},
      {"origin_run_id", nullable(text("the run this one was made from"))},
      {"failed_step", nullable(text("the step that failed it"))},
      {"error", nullable(named("Failure"))},
      {"last_seq", integer("the seq of its last event")},
      {"queued_at", nullable(time("when it was accepted"))},
      {"started_at", nullable(time("when it got its first slot"))},
      {"finished_at", nullable(time("when it ended"))},
      {"updated_at", time("when its last event happened")},
      {"duration_ms", nullable(integer("from its start to its end, or to now"))},
      {"steps_total", integer("how many steps it has")},
      {"steps_done", integer("how many of them have ended")},
      {"usage", named("Usage")},
  };
}

std::vector<Member> attempt_members() {
  return {
      {"visit", integer("how often the step was begun afresh", 1)},
      {"attempt", integer("which attempt of the visit", 1)},
      {"reason", nullable(text("first, retry, rework, interrupted, jump or resume"))},
      {"status", one_of("how it stands", {"running", "completed", "failed", "interrupted",
                                          "rejected", "cancelled", "skipped"})},
      {"adapter", nullable(text("which agent"))},
      {"model", nullable(text("which model"))},
      {"started_at", nullable(time("when it began"))},
      {"finished_at", nullable(time("when it ended"))},
      {"duration_ms", nullable(integer("how long it took, or takes by now"))},
      {"usage", named("Usage")},
      {"exit_code", nullable(integer("of the agent's or command's process", -1))},
      {"failure_class", nullable(text("why it failed, which decides what was tried next"))},
      {"error", nullable(named("Failure"))},
      {"out_bytes", nullable(integer("what it printed, bytes"))},
      {"err_bytes", nullable(integer("what it printed as errors, bytes"))},
  };
}

std::vector<Member> step_members() {
  return {
      {"index", integer("its place in the pipeline")},
      {"step", text("its id")},
      {"kind", nullable(text("persona, command, gate ..."))},
      {"status", named("StepStatus")},
      {"persona", nullable(text("who does it"))},
      {"adapter", nullable(text("which agent"))},
      {"model", nullable(text("which model"))},
      {"visit", integer("how often it was begun afresh")},
      {"attempt", integer("which attempt of the visit")},
      {"interruptions", integer("how often it was interrupted in this visit")},
      {"started_at", nullable(time("when it began"))},
      {"finished_at", nullable(time("when it ended"))},
      {"duration_ms", nullable(integer("how long it took, or takes by now"))},
      {"workspace", nullable(text("its folder, relative to the project"))},
      {"reason", nullable(text("why it runs again, or was skipped"))},
      {"error", nullable(named("Failure"))},
      {"usage", named("Usage")},
      {"attempts", list_of(named("Attempt"), "oldest first")},
  };
}

void add_details(Schemas& schemas) {
  schemas.add("Run", object("A run.", run_members()));
  schemas.add("RunList", page_of("runs", "Run"));
  schemas.add("Attempt", object("One attempt of a step.", attempt_members()));
  schemas.add("Step", object("A step of a run.", step_members()));
  schemas.add("GraphNode", object("A step as a node of the pipeline's graph.",
                                  {{"step", text("its id")},
                                   {"kind", text("persona, command, gate ...")},
                                   {"persona", nullable(text("who does it"))},
                                   {"level", integer("how many steps lie before it at most")},
                                   {"rework_only", flag("runs only to repair another's work")},
                                   {"optional", flag("the run goes on when it fails")}}));
  schemas.add("GraphEdge",
              object("How two steps belong together.",
                     {{"from", text("a step")},
                      {"to", text("another one")},
                      {"kind", one_of("what it stands for", {"dependency", "rework", "gate"})},
                      {"label", nullable(text("a gate's choice"))}}));
  schemas.add("Graph", object("The pipeline as the run has it.",
                              {{"nodes", list_of(named("GraphNode"), "in the pipeline's order")},
                               {"edges", list_of(named("GraphEdge"), "in no particular order")}}));
  schemas.add(
      "Cost",
      object("What it cost, and what it may cost.",
             {{"usage", named("Usage")},
              {"budget_usd", nullable(number("runtime.cost.budget_ceiling"))},
              {"by_model", list_of(object("One model's share.", {{"model", text("the model")},
                                                                 {"usage", named("Usage")}}),
                                   "most expensive first")}}));
  schemas.add("RunLinks", object("Where the rest of it is.",
                                 {{"self", text("this document")},
                                  {"events", text("its event stream")},
                                  {"logs", text("its log")},
                                  {"artifacts", text("what it made")},
                                  {"diff", text("what it changed")},
                                  {"children", text("the runs it started")},
                                  {"origin", nullable(text("the run it was made from"))}}));
  schemas.add("RunDetail",
              object("A run at one moment: after its event `seq`, and no other.",
                     {{"seq", integer("the seq of the last event that is in it")},
                      {"run", named("Run")},
                      {"steps", list_of(named("Step"), "in the pipeline's order")},
                      {"gates", list_of(named("Gate"), "oldest first")},
                      {"artifacts", list_of(named("Artifact"), "by step and name")},
                      {"children", list_of(named("Run"), "runs made from it, newest first")},
                      {"cost", named("Cost")},
                      {"graph", named("Graph")},
                      {"links", named("RunLinks")}}));
}

void add_outputs(Schemas& schemas) {
  schemas.add("Artifact", object("Something a step produced.",
                                 {{"step", text("the step")},
                                  {"name", text("its name, unique within the step")},
                                  {"type", nullable(text("json, text, markdown or binary"))},
                                  {"path", nullable(text("where the step left it"))},
                                  {"sha256", text("of its bytes")},
                                  {"size", integer("bytes")}}));
  schemas.add("ArtifactList", page_of("artifacts", "Artifact"));
  schemas.add("FileChange", object("How one file changed.",
                                   {{"path", text("relative to the repository")},
                                    {"status", text("added, modified, deleted or renamed")},
                                    {"old_path", nullable(text("what it was called before"))},
                                    {"additions", integer("lines")},
                                    {"deletions", integer("lines")},
                                    {"binary", flag("has no lines")}}));
  schemas.add("DiffList", object("What a run changed in its worktrees.",
                                 {{"files", list_of(named("FileChange"), "by path")},
                                  {"next_cursor", nullable(text("always null: there is one page"))},
                                  {"has_more", flag("whether files were left out")},
                                  {"available", flag("whether there is anything to compare")},
                                  {"message", nullable(text("why there is not"))},
                                  {"base", nullable(text("the commit it started from"))},
                                  {"head", nullable(text("the commit it is compared with"))},
                                  {"branch", nullable(text("the branch it worked on"))},
                                  {"total_files", integer("of all pages")},
                                  {"total_additions", integer("lines")},
                                  {"total_deletions", integer("lines")}}));
  schemas.add("Diff", object("How one file changed, line by line.",
                             {{"path", text("relative to the repository")},
                              {"status", text("added, modified, deleted or renamed")},
                              {"old_path", nullable(text("what it was called before"))},
                              {"additions", integer("lines")},
                              {"deletions", integer("lines")},
                              {"binary", flag("has no lines")},
                              {"content", text("unified diff; secrets are masked")},
                              {"truncated", flag("whether the content was cut")},
                              {"size", integer("of the whole, bytes")}}));
  schemas.add("LogLine",
              object("One line of a run's log: an event, for people.",
                     {{"seq", integer("of the event", 1)},
                      {"ts", time("when")},
                      {"level", one_of("how bad", {"debug", "info", "warning", "error"})},
                      {"event", text("its kind")},
                      {"step", nullable(text("the step"))},
                      {"text", text("one line")}}));
  schemas.add("LogLines", page_of("lines", "LogLine"));
}

void add_requests(Schemas& schemas) {
  schemas.add(
      "Submit",
      request(
          "What to run.",
          {{"pipeline", pipeline_name()},
           {"input", bounded_text("what it is to work on", kMostRunInput)},
           {"model", bounded_text("stands for the models of steps that name none", kMostName)},
           {"force_model", flag("`model` stands for those of all steps")},
           {"adapter", bounded_text("stands for the agents of steps that name none", kMostName)},
           {"steps", step_names("only these")},
           {"exclude", step_names("all but these")},
           {"skip_gates", flag("asks no gate; for the role admin")},
           {"dry_run", flag("answers with the plan, and starts nothing")},
           {"timeout_ms", step_timeout()},
           {"tags", tags()}},
          {"pipeline"}));
  schemas.add("Submitted",
              object("An accepted run.",
                     {{"run_id", text("names it")},
                      {"pipeline", text("the pipeline's name")},
                      {"pipeline_name", text("the same, as older scripts know it")},
                      {"status", named("RunStatus")},
                      {"queue_position", nullable(integer("place in the queue, from 1", 1))}}));
  schemas.add("PlannedStep",
              object("A step as it would be run.",
                     {{"step", text("its id")},
                      {"kind", text("persona, command, gate ...")},
                      {"persona", text("who does it; empty: nobody")},
                      {"adapter", text("which agent; empty: none")},
                      {"model", text("which model; empty: the agent's own")},
                      {"workspace", text("where")},
                      {"dependencies", list_of(text("a step"), "what comes before")},
                      {"contracts", list_of(text("a type"), "what is checked after")},
                      {"left_out", text("why it would not be run"), kSometimes}}));
  schemas.add(
      "Plan",
      object("What a dry run says.",
             {{"pipeline", text("the pipeline's name")},
              {"waves",
               list_of(list_of(named("PlannedStep"), "may run at the same time"), "in order")},
              {"on_demand", list_of(named("PlannedStep"), "run when other work needs repair")}}));
  schemas.add("Cancel",
              request("How to end a run.", {{"force", flag("without the grace period")},
                                            {"reason", bounded_text("why; it is kept", 4096)}}));
  schemas.add("Cancelled", object("What became of it.",
                                  {{"run_id", text("the run")},
                                   {"status", one_of("cancelling: its processes are being ended",
                                                     {"cancelling", "cancelled"})}}));
  const std::vector<Member> again{
      {"from_step", bounded_text("where to begin; else the step that failed", kMostName)},
      {"model", bounded_text("another model", kMostName)},
      {"force_model", flag("`model` stands for those of all steps")},
      {"adapter", bounded_text("another agent", kMostName)},
      {"timeout_ms", step_timeout()},
      {"tags", tags()},
      {"force", flag("accepted for older scripts; changes nothing")}};
  schemas.add("Resume", request("How to go on.", again));
  schemas.add("Retry", request("How to try again.", again));
  schemas.add("Resumed",
              object("What goes on.",
                     {{"run_id", text("the run that goes on: a new one if the origin had ended")},
                      {"original_run_id", text("the run that was named")},
                      {"pipeline", text("the pipeline's name")},
                      {"pipeline_name", text("the same, as older scripts know it")},
                      {"from_step", nullable(text("where it begins"))},
                      {"status", named("RunStatus")},
                      {"queue_position", nullable(integer("place in the queue, from 1", 1))}}));
}

}  // namespace

void add_run_schemas(Schemas& schemas) {
  add_parts(schemas);
  add_details(schemas);
  add_outputs(schemas);
  add_requests(schemas);
}

}  // namespace wave::server
