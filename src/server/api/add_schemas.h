// Who brings which schemas. Internal to the folder.
#pragma once

#include "server/api/schemas.h"

namespace wave::server {

void add_run_schemas(Schemas& schemas);
void add_gate_schemas(Schemas& schemas);
void add_catalogue_schemas(Schemas& schemas);
void add_server_schemas(Schemas& schemas);

}  // namespace wave::server
