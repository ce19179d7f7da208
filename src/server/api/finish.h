// The last touches of an answer: ETag and 304, gzip, caching.
#pragma once

#include "http/message.h"

namespace wave::server {

/// Gives an answer of JSON or text an ETag of its content, turns it into 304 where the client has
/// it already, and packs it where that is worth it and the client takes it. Streams never come
/// here; answers that have an ETag or a Content-Encoding keep theirs.
void finish_response(const http::Request& request, http::Response& response);

/// RFC 9110 section 8.8.3.2, weak comparison against a list or "*".
bool etag_matches(std::string_view if_none_match, std::string_view etag);
/// RFC 9110 section 12.5.3: whether gzip is welcome.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace wave::server
