// A plain login page, for as long as the browser application does not bring its own.
#pragma once

#include "server/route.h"

namespace wave::server::access {

/// GET /login and its script and style: no inline script, nothing from elsewhere.
void add_login_page(RouteTable& table);

}  // namespace wave::server::access
