// The schemas of what the routes of access/ take and give.
#pragma once

#include "server/api/schemas.h"

namespace wave::server {

void add_access_schemas(Schemas& schemas);

}  // namespace wave::server
