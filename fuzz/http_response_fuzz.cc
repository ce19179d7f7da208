// Answers to the client mean the same however the network cuts them.
#include <string>

#include "fuzz.h"
#include "http/response_parser.h"

namespace {

struct Seen {
  bool valid = true, done = false;
  int status = 0;
  std::string body;
  friend bool operator==(const Seen&, const Seen&) = default;
};

Seen read(std::string_view bytes, size_t piece) {
  wave::http::ResponseParser parser(false);
  Seen seen;
  for (; !bytes.empty() && seen.valid; bytes.remove_prefix(std::min(piece, bytes.size()))) {
    seen.valid = parser.feed(bytes.substr(0, piece)).has_value();
    if (seen.valid && parser.has_head()) seen.body += parser.take_body();
  }
  if (!seen.valid) return {.valid = false};
  // Of an answer that was cut off, more or less may have been handed on.
  if (!parser.feed_end()) return {.valid = false};
  seen.done = parser.done();
  if (parser.has_head()) seen.status = parser.head().status;
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = wave::fuzz::text(data, size);
  wave::fuzz::require(read(bytes, bytes.size() + 1) == read(bytes, 1));
  return 0;
}
