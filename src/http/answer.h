// An answer on its way from a handler to its connection.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "http/message.h"
#include "http/stream.h"

namespace wave::http {

/// A response whose head is rendered.
struct Answer {
  std::string bytes;  // the head, and the body where it is small
  Frame shared;       // a body that others hold too, or null
  FileBody file;      // a body in a file, or a null file
  bool close = false;
};

struct HeadFacts {
  bool is_head_request = false;
  bool close = false;      // the connection ends after this
  bool is_stream = false;  // no length; the body ends with the connection
  std::string_view request_id;
  const Headers* common = nullptr;
};

Answer render_answer(Response response, const HeadFacts& facts);
/// A problem+json answer to what no handler saw.
Response refusal_response(int status, std::string_view detail, std::string_view request_id);

}  // namespace wave::http
