// Everything that the server answers, put together.
#pragma once

#include "server/api/schemas.h"
#include "server/route.h"

namespace wave::server {

/// The rows of all folders.
RouteTable all_routes();
/// The schemas of all folders.
Schemas all_schemas();

}  // namespace wave::server
