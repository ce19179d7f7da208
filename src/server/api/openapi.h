// The OpenAPI 3.1 document, made from the route table and the schemas.
#pragma once

#include "base/json.h"
#include "server/api/schemas.h"
#include "server/route.h"

namespace wave::server {

/// Routes whose path begins with /api/ or is /metrics: what programs call. `base_path`: what all
/// paths begin with, or nothing.
json::object openapi_document(const RouteTable& routes, const Schemas& schemas,
                              std::string_view version, std::string_view base_path = {});

}  // namespace wave::server
