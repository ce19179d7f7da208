// The route table for people: a page for browsers, and docs/http-api.md.
#pragma once

#include <string>

#include "server/api/schemas.h"
#include "server/route.h"

namespace wave::server::api {

/// Plain HTML: no script, no style, nothing from elsewhere.
std::string docs_html(const RouteTable& routes, const Schemas& schemas);
std::string docs_markdown(const RouteTable& routes, const Schemas& schemas);

}  // namespace wave::server::api
