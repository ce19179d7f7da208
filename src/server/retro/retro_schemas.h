// The named schemas of retrospectives.
#pragma once

#include "server/api/schemas.h"

namespace wave::server {

void add_retro_schemas(Schemas& schemas);

}  // namespace wave::server
