// Rows of the route table: runs, what they made, and the gates they wait at.
#include "server/api/handlers.h"
#include "server/api/schema_words.h"
#include "server/route.h"

namespace wave::server {
namespace {

using auth::Role;

json::object limited(int64_t minimum, int64_t maximum) {
  return {{"type", "integer"}, {"minimum", minimum}, {"maximum", maximum}};
}

json::object plain_text(size_t max_length) {
  return {{"type", "string"}, {"maxLength", max_length}};
}

json::object flag_schema() {
  return {{"type", "string"}, {"enum", json::array{"0", "1", "true", "false"}}};
}

json::object choice(std::initializer_list<std::string_view> values) {
  json::array allowed;
  for (const std::string_view value : values) allowed.emplace_back(value);
  return {{"type", "string"}, {"enum", std::move(allowed)}};
}

Parameter page_size(int64_t most) {
  return {"limit", limited(1, most), "how many at most"};
}

Parameter cursor() {
  return {"cursor", plain_text(512), "next_cursor of the page before"};
}

std::vector<Parameter> list_filters() {
  return {
      {"status",
       choice({"queued", "running", "waiting", "completed", "completed_empty", "failed", "rejected",
               "cancelled"}),
       "only these statuses", true},
      {"pipeline", plain_text(256), "only runs of this pipeline"},
      {"tag", plain_text(1200), "only runs with this tag: key, or key=value"},
      {"actor", plain_text(256), "only runs that this actor started"},
      {"since", words::moment(), "accepted at this time or later"},
      {"until", words::moment(), "accepted before this time"},
      {"q", plain_text(1000),
       "only runs with this text in their id or input; a page looks at 3,000 runs at most, so that "
       "it may have few runs or none and yet say `has_more`"},
      {"parent", plain_text(256), "only runs made from this run"},
      {"sort", choice({"-queued_at", "queued_at"}), "newest first (the default), or oldest first"},
      page_size(200),
      cursor(),
  };
}

void add_run_rows(RouteTable& table) {
  table.add({.method = "POST",
             .path = "/api/runs",
             .operation_id = "submitRun",
             .tag = "runs",
             .summary = "Accepts a run; it is on disk when the answer comes.",
             .role = Role::kOperator,
             .request_schema = "Submit",
             .response_schema = "Submitted",
             .success = 201,
             .handler = api::submit_run,
             .also = {{200, "Plan"}},
             .idempotency_key = true});
  table.add({.method = "GET",
             .path = "/api/runs",
             .operation_id = "listRuns",
             .tag = "runs",
             .summary = "Lists runs, newest first; pages are stable while new ones come.",
             .query = list_filters(),
             .response_schema = "RunList",
             .handler = api::list_runs});
  table.add({.method = "GET",
             .path = "/api/runs/{id}",
             .operation_id = "getRun",
             .tag = "runs",
             .summary = "Tells all about a run at one moment.",
             .response_schema = "RunDetail",
             .handler = api::get_run});
  table.add({.method = "POST",
             .path = "/api/runs/{id}/cancel",
             .operation_id = "cancelRun",
             .tag = "runs",
             .summary = "Ends a run: a queued one at once, a running one with its processes.",
             .role = Role::kOperator,
             .request_schema = "Cancel",
             .response_schema = "Cancelled",
             .urgent = true,
             .handler = api::cancel_run,
             .body_optional = true});
  table.add({.method = "POST",
             .path = "/api/runs/{id}/retry",
             .operation_id = "retryRun",
             .tag = "runs",
             .summary = "Makes a new run from one that failed, with what it was started with.",
             .role = Role::kOperator,
             .request_schema = "Retry",
             .response_schema = "Resumed",
             .success = 201,
             .handler = api::retry_run,
             .also = {{200, "Resumed"}},
             .idempotency_key = true,
             .body_optional = true});
  table.add({.method = "POST",
             .path = "/api/runs/{id}/resume",
             .operation_id = "resumeRun",
             .tag = "runs",
             .summary = "Goes on with a run that was stopped; makes a new one of a run that ended.",
             .role = Role::kOperator,
             .request_schema = "Resume",
             .response_schema = "Resumed",
             .success = 201,
             .handler = api::resume_run,
             .also = {{200, "Resumed"}},
             .idempotency_key = true,
             .body_optional = true});
  table.add({.method = "GET",
             .path = "/api/runs/{id}/children",
             .operation_id = "listChildren",
             .tag = "runs",
             .summary = "Lists the runs that were made from a run.",
             .query = {page_size(200), cursor()},
             .response_schema = "RunList",
             .handler = api::list_children});
}

void add_output_rows(RouteTable& table) {
  table.add(
      {.method = "GET",
       .path = "/api/runs/{id}/logs",
       .operation_id = "getRunLogs",
       .tag = "runs",
       .summary = "The log of a run for people, as JSON or text.",
       .query = {{"format", choice({"json", "text"}), "json is the default"},
                 {"step", plain_text(256), "only this step's"},
                 {"level", choice({"debug", "info", "warning", "error"}), "this bad or worse"},
                 {"since", words::moment(), "not before"},
                 {"until", words::moment(), "before"},
                 {"tail", limited(1, 10'000), "only the last so many lines"},
                 {"after", limited(0, 9'007'199'254'740'991), "only after this seq"},
                 {"offset", limited(0, 9'007'199'254'740'991), "text: from this byte on"},
                 {"length", limited(1, 16 << 20), "text: at most so many bytes"},
                 {"follow", flag_schema(), "text: goes on until the run ends"},
                 page_size(1000),
                 cursor()},
       .response_schema = "LogLines",
       .response_type = "text/plain",
       .handler = api::get_logs,
       .follow = api::follow_logs});
  table.add({.method = "GET",
             .path = "/api/runs/{id}/artifacts",
             .operation_id = "listArtifacts",
             .tag = "outputs",
             .summary = "Lists what the steps of a run produced.",
             .query = {{"step", plain_text(256), "only this step's"}},
             .response_schema = "ArtifactList",
             .handler = api::list_artifacts});
  table.add({.method = "GET",
             .path = "/api/runs/{id}/artifacts/{step}/{name}",
             .operation_id = "getArtifact",
             .tag = "outputs",
             .summary = "An artifact's bytes, with secrets masked; Range is understood.",
             .query = {{"download", flag_schema(), "1: as a file to save"}},
             .response_type = "*/*",
             .handler = api::get_artifact,
             .also = {{206, ""}}});
  table.add({.method = "GET",
             .path = "/api/runs/{id}/diff",
             .operation_id = "listChanges",
             .tag = "outputs",
             .summary = "Lists the files that a run changed in its worktrees.",
             .query = {{"step", plain_text(256), "the worktree of this step"}},
             .response_schema = "DiffList",
             .handler = api::list_changes});
  table.add({.method = "GET",
             .path = "/api/runs/{id}/diff/{path...}",
             .operation_id = "getChange",
             .tag = "outputs",
             .summary = "How a run changed one file.",
             .query = {{"step", plain_text(256), "the worktree of this step"}},
             .response_schema = "Diff",
             .handler = api::get_change});
  table.add(
      {.method = "GET",
       .path = "/api/runs/{id}/steps/{step}/output",
       .operation_id = "getOutput",
       .tag = "outputs",
       .summary = "What a step's agent or command printed, byte for byte, with secrets masked.",
       .query = {{"stream", choice({"out", "err"}), "out is the default"},
                 {"visit", limited(1, 1'000'000), "the last one is the default"},
                 {"attempt", limited(1, 1'000'000), "the last one is the default"},
                 {"launch", plain_text(300), "the folder that stream_activity names"},
                 {"offset", limited(0, 9'007'199'254'740'991), "from this byte on"},
                 {"length", limited(1, 16 << 20), "at most so many bytes; 1 MiB is the default"},
                 {"tail", limited(1, 16 << 20), "only the last so many bytes"}},
       .response_type = "text/plain",
       .handler = api::get_output,
       .also = {{206, ""}}});
}

void add_gate_rows(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/api/gates",
             .operation_id = "listGates",
             .tag = "gates",
             .summary = "Lists everything that waits for a person, oldest first.",
             .query = {{"run", plain_text(256), "only this run's"}},
             .response_schema = "GateList",
             .urgent = true,
             .handler = api::list_gates});
  table.add({.method = "POST",
             .path = "/api/runs/{id}/gate/{step}",
             .operation_id = "decideGate",
             .tag = "gates",
             .summary = "Answers a gate. The first decision stands.",
             .role = Role::kOperator,
             .request_schema = "GateDecision",
             .response_schema = "GateDecided",
             .urgent = true,
             .handler = api::decide_gate,
             .idempotency_key = true});
  table.add({.method = "POST",
             .path = "/api/runs/{id}/gates/{step}/approve",
             .operation_id = "approveGate",
             .tag = "gates",
             .summary = "The same, under its older name.",
             .role = Role::kOperator,
             .request_schema = "GateDecision",
             .response_schema = "GateDecided",
             .urgent = true,
             .handler = api::decide_gate,
             .deprecated = true,
             .idempotency_key = true});
}

}  // namespace

void add_run_routes(RouteTable& table) {
  add_run_rows(table);
  add_output_rows(table);
  add_gate_rows(table);
}

}  // namespace wave::server
