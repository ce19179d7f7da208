// The handlers behind the rows of this folder, and what they have in common.
#pragma once

#include <string>

#include "server/route.h"
#include "server/services.h"
#include "store/store.h"

namespace wave::server::api {

// --- runs ---
Result<http::Response> submit_run(Call& call);
Result<http::Response> start_pipeline(Call& call);
Result<http::Response> list_runs(Call& call);
Result<http::Response> list_children(Call& call);
Result<http::Response> get_run(Call& call);
Result<http::Response> cancel_run(Call& call);
Result<http::Response> retry_run(Call& call);
Result<http::Response> resume_run(Call& call);

// --- what runs made ---
Result<http::Response> get_logs(Call& call);
Status follow_logs(Call& call, http::Responder& responder);
Result<http::Response> list_artifacts(Call& call);
Result<http::Response> get_artifact(Call& call);
Result<http::Response> list_changes(Call& call);
Result<http::Response> get_change(Call& call);
Result<http::Response> get_output(Call& call);

// --- gates ---
Result<http::Response> list_gates(Call& call);
Result<http::Response> decide_gate(Call& call);

// --- catalogue ---
Result<http::Response> list_pipelines(Call& call);
Result<http::Response> get_pipeline(Call& call);
Result<http::Response> validate_pipeline(Call& call);
Result<http::Response> list_personas(Call& call);
Result<http::Response> get_persona(Call& call);
Result<http::Response> list_contracts(Call& call);
Result<http::Response> get_contract(Call& call);
Result<http::Response> list_adapters(Call& call);

// --- server ---
Result<http::Response> get_health(Call& call);
Result<http::Response> get_readiness(Call& call);
Result<http::Response> get_openapi(Call& call);
Result<http::Response> get_docs(Call& call);

// --- in common ---

/// The run that {id} names: its full id, or a prefix that no other run has. kNotFound, kPruned,
/// kUsage naming the candidates.
Result<store::RunDetails> run_of(const Call& call);
/// By which way a decision came: "browser" or "api".
std::string via(const Call& call);
/// Idempotency-Key, made the caller's own; empty: none. kUsage when it is too long.
Result<std::string> idempotency_key(const Call& call);
bool is_terminal(const flow::RunRow& row);
/// kNotFound, with what was probably meant, when the run has no such step.
Status check_step(const store::RunDetails& details, const std::string& step);

/// {<noun>: items, next_cursor, has_more: false}
http::Response whole_list(std::string_view noun, json::array items);

}  // namespace wave::server::api
