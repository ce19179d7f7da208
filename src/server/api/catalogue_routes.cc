// Rows of the route table: what the project has to offer.
#include "base/system_fault.h"
#include "server/api/handlers.h"
#include "server/route.h"

namespace wave::server {

using auth::Role;

namespace {

/// For answers made of the project's files: what could not be read for a shortage reads as missing
/// or invalid there, and nothing of it counts.
template <Result<http::Response> (*Handler)(Call&)>
Result<http::Response> from_files(Call& call) {
  const ShortageWatch watch;
  auto answer = Handler(call);
  if (auto shortage = watch.seen()) return fail(shortage->wrapped("cannot read the project"));
  return answer;
}

}  // namespace

void add_catalogue_routes(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/api/pipelines",
             .operation_id = "listPipelines",
             .tag = "catalogue",
             .summary = "Lists the project's pipelines, those that do not load as well.",
             .response_schema = "PipelineList",
             .handler = from_files<api::list_pipelines>});
  table.add({.method = "GET",
             .path = "/api/pipelines/{name}",
             .operation_id = "getPipeline",
             .tag = "catalogue",
             .summary = "A pipeline with its source, graph and diagnostics.",
             .response_schema = "PipelineDetail",
             .handler = from_files<api::get_pipeline>});
  table.add({.method = "POST",
             .path = "/api/pipelines/validate",
             .operation_id = "validatePipeline",
             .tag = "catalogue",
             .summary = "Checks the text of a pipeline against the project; nothing is stored.",
             .request_schema = "Validate",
             .response_schema = "Validated",
             .handler = from_files<api::validate_pipeline>,
             .text_member = "yaml"});
  table.add({.method = "POST",
             .path = "/api/pipelines/{name}/start",
             .operation_id = "startPipeline",
             .tag = "catalogue",
             .summary = "Submits a run, as older scripts do it.",
             .role = Role::kOperator,
             .request_schema = "Start",
             .response_schema = "Submitted",
             .success = 201,
             .handler = api::start_pipeline,
             .deprecated = true,
             .also = {{200, "Plan"}},
             .idempotency_key = true,
             .body_optional = true});
  table.add({.method = "GET",
             .path = "/api/personas",
             .operation_id = "listPersonas",
             .tag = "catalogue",
             .summary = "Lists the project's personas.",
             .response_schema = "PersonaList",
             .handler = from_files<api::list_personas>});
  table.add({.method = "GET",
             .path = "/api/personas/{name}",
             .operation_id = "getPersona",
             .tag = "catalogue",
             .summary = "A persona with its prompt.",
             .response_schema = "PersonaDetail",
             .handler = from_files<api::get_persona>});
  table.add({.method = "GET",
             .path = "/api/contracts",
             .operation_id = "listContracts",
             .tag = "catalogue",
             .summary = "Lists the project's contract schemas.",
             .response_schema = "ContractList",
             .handler = from_files<api::list_contracts>});
  table.add({.method = "GET",
             .path = "/api/contracts/{name}",
             .operation_id = "getContract",
             .tag = "catalogue",
             .summary = "A contract schema with its text.",
             .response_schema = "ContractDetail",
             .handler = from_files<api::get_contract>});
  table.add({.method = "GET",
             .path = "/api/adapters",
             .operation_id = "listAdapters",
             .tag = "catalogue",
             .summary = "Lists the agents that this version knows, and whether they are there.",
             .response_schema = "AdapterList",
             .handler = from_files<api::list_adapters>});
}

}  // namespace wave::server
