// wave_openapi: prints the OpenAPI document of the server; types of clients are made from it.
#include <fmt/core.h>

#include "base/json.h"
#include "base/version.h"
#include "server/api/api.h"
#include "server/api/openapi.h"

int main() {
  const auto document = wave::server::openapi_document(wave::server::all_routes(),
                                                       wave::server::all_schemas(), wave::kVersion);
  fmt::print("{}\n", wave::pretty_json(document));
  return 0;
}
