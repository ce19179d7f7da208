#include "server/api/api.h"

#include "server/access/access_schemas.h"
#include "server/api/event_schemas.h"
#include "server/retro/retro_schemas.h"
#include "server/webhook/webhook_schemas.h"

namespace wave::server {

RouteTable all_routes() {
  RouteTable table;
  add_run_routes(table);
  add_catalogue_routes(table);
  add_server_routes(table);
  add_queue_routes(table);
  add_webhook_routes(table);
  add_stream_routes(table);
  add_retro_routes(table);
  add_metrics_routes(table);
  add_access_routes(table);
  return table;
}

Schemas all_schemas() {
  Schemas schemas;
  add_api_schemas(schemas);
  add_event_schemas(schemas);
  add_webhook_schemas(schemas);
  add_retro_schemas(schemas);
  add_access_schemas(schemas);
  return schemas;
}

}  // namespace wave::server
