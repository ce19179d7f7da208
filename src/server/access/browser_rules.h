// What is asked of browsers beside a credential (promise A4): which name they call the server by,
// from whose page they come, and the token that only our own pages know.
#pragma once

#include <string>
#include <vector>

#include "auth/identity.h"
#include "base/result.h"
#include "http/message.h"

namespace wave::server::access {

struct BrowserRules {
  bool tls = false;
  std::vector<std::string> hosts;    // lower case, without port; addresses are always good
  std::vector<std::string> origins;  // of other sites that are let in
};

/// A name that is not ours is refused: a page of somebody else's whose name was made to point to us
/// (DNS rebinding) gets nothing. Numeric addresses cannot be rebound.
Status check_host(const http::Request& request, const BrowserRules& rules);
/// Pages of other sites change nothing, and read nothing under /api. Callers that are no browsers
/// send neither Origin nor Sec-Fetch-Site.
Status check_origin(const http::Request& request, const BrowserRules& rules);
/// A session's mutating calls carry its token in X-CSRF-Token.
Status check_csrf(const http::Request& request, const auth::Identity& identity);

/// For every answer, whatever it is.
http::Headers security_headers(bool tls);

bool is_mutating(const http::Request& request);

}  // namespace wave::server::access
