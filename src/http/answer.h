// An answer on its way from a handler to its connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/stream.h"
#include "http/windows.h"

namespace wave::http {

/// A response whose head is rendered.
struct Answer {
  std::string bytes;       // the head, and the body where it is small
  Frame shared;            // a body that others hold too, or null
  StreamedBody body;       // a body that is read while it is sent, or a null source
  Windows::Window window;  // what of it is held in memory
  bool chunked = false;
  bool close = false;
};

struct HeadFacts {
  bool is_head_request = false;
  bool close = false;        // the connection ends after this
  bool is_stream = false;    // no length; the body ends with the connection
  bool takes_chunks = true;  // the client speaks HTTP/1.1
  std::string_view request_id;
  const Headers* common = nullptr;
};

Answer render_answer(Response response, const HeadFacts& facts);
/// A problem+json answer to what no handler saw.
Response refusal_response(int status, std::string_view detail, std::string_view request_id);

}  // namespace wave::http
