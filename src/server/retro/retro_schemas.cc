#include "server/retro/retro_schemas.h"

#include "server/api/schema_words.h"

namespace wave::server {
namespace {

using namespace words;

json::object smoothness() {
  return one_of("how it went",
                {"effortless", "smooth", "bumpy", "struggled", "failed", "unfinished"});
}

std::vector<Member> times() {
  return {{"total_ms", integer("from the acceptance to the end")},
          {"queued_ms", integer("waited for a slot")},
          {"working_ms", integer("at least one step ran")},
          {"waiting_ms", integer("waited for people or time")}};
}

std::vector<Member> join(std::vector<Member> members, std::vector<Member> more) {
  for (Member& member : more) members.push_back(std::move(member));
  return members;
}

void add_retro_parts(Schemas& schemas) {
  schemas.add("RetroStep",
              object("A step, looked back at.",
                     {{"step", text("its id")},
                      {"persona", nullable(text("who did it"))},
                      {"kind", nullable(text("persona, command or gate"))},
                      {"status", nullable(text("how it ended"))},
                      {"failure_class", nullable(text("why it failed"))},
                      {"visits", integer("how often it was begun afresh")},
                      {"attempts", integer("how often it was tried")},
                      {"retries", integer("attempts that failed and were followed by another")},
                      {"reworks", integer("how often another step repaired its work")},
                      {"interruptions", integer("how often it was interrupted")},
                      {"failed_contracts", integer("how often a contract of it did not hold")},
                      {"working_ms", integer("an attempt of it ran")},
                      {"waiting_ms", integer("it waited")},
                      {"usage", named("Usage")}}));
  schemas.add("Friction",
              object("Something that was done again, or went wrong.",
                     {{"kind", one_of("what", {"retry", "rework", "interruption", "jump",
                                               "contract", "hook", "tolerated_failure"})},
                      {"step", nullable(text("where"))},
                      {"visit", integer("of the step")},
                      {"attempt", integer("of the step")},
                      {"failure_class", nullable(text("why, in a word"))},
                      {"code", nullable(text("a stable error code"))},
                      {"message", text("why, for people")},
                      {"target", nullable(text("the step that repaired it, or where it went on"))},
                      {"at", time("when")}}));
  schemas.add("FailedContract", object("A contract that did not hold.",
                                       {{"step", text("whose")},
                                        {"visit", integer("of the step")},
                                        {"attempt", integer("of the step")},
                                        {"index", integer("which of the step's contracts, from 0")},
                                        {"type", text("json_schema, test_suite ...")},
                                        {"policy", text("what followed: fail, rework, warn ...")},
                                        {"message", text("what was found")},
                                        {"failure_class", nullable(text("in a word"))},
                                        {"errors", list_of(text("a finding"), "at most ten")},
                                        {"evaluable", flag("false: it could not be evaluated")}}));
  schemas.add("RetroGate", object("A gate, looked back at.",
                                  {{"step", text("which asked")},
                                   {"gate_id", text("the gate")},
                                   {"outcome", nullable(text("decided, default, timeout ..."))},
                                   {"choice", nullable(text("the choice's key"))},
                                   {"by", nullable(text("who decided"))},
                                   {"waited_ms", integer("until the decision")}}));
  schemas.add("RetroError",
              object("Why the run failed.", {{"step", nullable(text("where"))},
                                             {"failure_class", nullable(text("in a word"))},
                                             {"code", nullable(text("a stable error code"))},
                                             {"message", text("for people")}}));
  schemas.add("Standing", object("How a figure stands among those of earlier runs.",
                                 {{"value", number("this run's")},
                                  {"compared", integer("with how many runs")},
                                  {"p50", number("half of them had at most so much")},
                                  {"p90", number("nine of ten had at most so much")},
                                  {"rank", number("the share of them that had less, 0 to 1")}}));
  schemas.add("RetroComparison", object("With earlier runs of the pipeline.",
                                        {{"earlier_runs", integer("that have ended, at most 200")},
                                         {"earlier_completed", integer("of them, how many well")},
                                         {"duration_ms", named("Standing")},
                                         {"cost_usd", named("Standing")}}));
}

void add_whole(Schemas& schemas) {
  schemas.add("Retro",
              object("A look back at a run.",
                     join({{"run_id", text("the run")},
                           {"pipeline", text("its pipeline")},
                           {"origin_run_id", nullable(text("the run it was made from"))},
                           {"actor", nullable(text("who started it"))},
                           {"outcome", named("RunStatus")},
                           {"ended", flag("false: of what has happened by now")},
                           {"smoothness", smoothness()},
                           {"error", nullable(named("RetroError"))},
                           {"queued_at", nullable(time("when it was accepted"))},
                           {"started_at", nullable(time("when it got its first slot"))},
                           {"finished_at", nullable(time("when it ended"))},
                           {"usage", named("Usage")},
                           {"retries", integer("in all")},
                           {"reworks", integer("in all")},
                           {"interruptions", integer("in all")},
                           {"jumps", integer("how often a gate sent it back")},
                           {"warnings", integer("in all")},
                           {"contracts_passed", integer("in all")},
                           {"steps", list_of(named("RetroStep"), "in the order they began")},
                           {"friction", list_of(named("Friction"), "oldest first, at most 200")},
                           {"friction_left_out", integer("beyond those")},
                           {"failed_contracts", list_of(named("FailedContract"), "oldest first")},
                           {"gates", list_of(named("RetroGate"), "oldest first")},
                           {"artifacts", list_of(named("Artifact"), "what it made")},
                           {"checkpoints", list_of(text("a git ref"), "oldest first")},
                           {"files", list_of(text("a path"), "agents said that they wrote them")},
                           {"files_complete", flag("false: there may be more")},
                           {"comparison", named("RetroComparison")}},
                          times())));
  schemas.add("RetroSummary",
              object("A look back at a run, in short.",
                     join({{"run_id", text("the run")},
                           {"pipeline", text("its pipeline")},
                           {"outcome", named("RunStatus")},
                           {"smoothness", smoothness()},
                           {"failed_step", nullable(text("where it failed"))},
                           {"failure_class", nullable(text("why, in a word"))},
                           {"trouble", nullable(text("why, or what was done again first"))},
                           {"queued_at", nullable(time("when it was accepted"))},
                           {"finished_at", nullable(time("when it ended"))},
                           {"cost_usd", number("US dollars")},
                           {"retries", integer("in all")},
                           {"reworks", integer("in all")},
                           {"interruptions", integer("in all")},
                           {"failed_contracts", integer("in all")}},
                          times())));
}

void add_lists(Schemas& schemas) {
  const json::object counts = map_of(integer("how often"), "by name");
  schemas.add("Drift", object("Median of the older and of the newer half of the runs.",
                              {{"earlier", number("of the older half")},
                               {"later", number("of the newer half")},
                               {"change", number("0.1: a tenth more")}}));
  schemas.add("StepStats", object("A step over many runs.",
                                  {{"step", text("its id")},
                                   {"runs", integer("in which it began")},
                                   {"failed", integer("ended as failed or rejected")},
                                   {"flaky", integer("completed, but not at the first attempt")},
                                   {"retries", integer("in all")},
                                   {"reworks", integer("in all")},
                                   {"interruptions", integer("in all")},
                                   {"failed_contracts", integer("in all")},
                                   {"working_p50_ms", number("half took at most so long")},
                                   {"working_p90_ms", number("nine of ten took at most so long")},
                                   {"cost_usd", number("in all")},
                                   {"failures", counts}}));
  schemas.add("PipelineStats",
              object("A pipeline over many runs.",
                     {{"pipeline", text("its name")},
                      {"runs", integer("that have ended")},
                      {"completed", integer("of them")},
                      {"failed", integer("of them")},
                      {"rejected", integer("of them")},
                      {"cancelled", integer("of them")},
                      {"smoothness", counts},
                      {"duration_p50_ms", number("half took at most so long")},
                      {"duration_p90_ms", number("nine of ten took at most so long")},
                      {"cost_usd", number("in all")},
                      {"cost_p50_usd", number("half cost at most so much")},
                      {"cost_drift", named("Drift")},
                      {"duration_drift", named("Drift")},
                      {"steps", list_of(named("StepStats"), "most trouble first")}}));
  json::object list = page_of("retros", "RetroSummary");
  list["properties"].as_object()["stats"] =
      list_of(named("PipelineStats"), "of the runs of this page");
  list["required"].as_array().emplace_back("stats");
  schemas.add("RetroList", std::move(list));
}

}  // namespace

void add_retro_schemas(Schemas& schemas) {
  add_retro_parts(schemas);
  add_whole(schemas);
  add_lists(schemas);
}

}  // namespace wave::server
