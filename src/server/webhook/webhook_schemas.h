// The named schemas of what webhooks answer.
#pragma once

#include "server/api/schemas.h"

namespace wave::server {

void add_webhook_schemas(Schemas& schemas);

}  // namespace wave::server
