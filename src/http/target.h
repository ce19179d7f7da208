// Request targets: the path and query of a request line (RFC 9112 section 3.2).
#pragma once

#include <string_view>

#include "http/message.h"

namespace wave::http {

/// Fills `path`, `segments` and `query` of a request from an origin-form target, or from an
/// absolute-form one (whose authority replaces Host). False when it is malformed: bad %XX, NUL, a
/// "." or ".." segment, an encoded slash that would change what the path means.
bool parse_target(std::string_view target, Request& request);

}  // namespace wave::http
