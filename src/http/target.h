// Request targets: the path and query of a request line (RFC 9112 section 3.2).
#pragma once

#include "http/message.h"

namespace wave::http {

/// Fills `path`, `segments` and `query` from `target`. An absolute-form target becomes origin-form,
/// and its authority replaces Host (section 3.2.2). False when it is malformed: bad %XX, NUL, a "."
/// or ".." segment, too many segments or parameters.
bool parse_target(Request& request);

/// Takes `base` ("/wave", or nothing) off the front of path and segments, where it stands there:
/// some proxies leave it, some take it off themselves.
void strip_base_path(Request& request, std::string_view base);

}  // namespace wave::http
