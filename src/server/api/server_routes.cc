// Rows of the route table: the server itself.
#include "server/api/handlers.h"
#include "server/route.h"

namespace wave::server {

using auth::Role;

void add_server_routes(RouteTable& table) {
  table.add({.method = "GET",
             .path = "/api/health",
             .operation_id = "getHealth",
             .tag = "server",
             .summary = "Whether the server is alive.",
             .role = Role::kNobody,
             .response_schema = "Health",
             .urgent = true,
             .handler = api::get_health});
  table.add({.method = "GET",
             .path = "/api/health/ready",
             .operation_id = "getReadiness",
             .tag = "server",
             .summary = "Whether the server takes new work.",
             .role = Role::kNobody,
             .response_schema = "Readiness",
             .urgent = true,
             .handler = api::get_readiness,
             .also = {{503, "Readiness"}}});
  table.add({.method = "GET",
             .path = "/api/openapi.json",
             .operation_id = "getOpenApi",
             .tag = "server",
             .summary = "This document.",
             .handler = api::get_openapi});
  table.add({.method = "GET",
             .path = "/api/docs",
             .operation_id = "getDocs",
             .tag = "server",
             .summary = "This document, for people.",
             .response_type = "text/html",
             .handler = api::get_docs});
}

}  // namespace wave::server
