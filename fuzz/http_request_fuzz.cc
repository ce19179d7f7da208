// Requests mean the same however the network cuts them, and what passes keeps its bounds.
#include <string>
#include <vector>

#include "fuzz.h"
#include "http/request_parser.h"

namespace {

using namespace wave;

constexpr size_t kBodyLimit = 4096;

struct Seen {
  std::vector<http::Request> requests;
  int refused = 0;
};

void check(const http::Request& request, const http::Limits& limits) {
  fuzz::require(request.path == "*" || request.path.starts_with('/'));
  fuzz::require(request.headers.fields().size() <= limits.max_headers);
  fuzz::require(request.target.size() <= limits.max_target_bytes);
  fuzz::require(request.body.size() <= kBodyLimit);
  for (const std::string& segment : request.segments) {
    fuzz::require(segment != "." && segment != ".." && !segment.contains('\0'));
  }
  for (const auto& [name, value] : request.headers.fields()) {
    fuzz::require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos);
  }
}

/// As a connection does it; at most `piece` bytes arrive at a time.
Seen read(std::string_view bytes, size_t piece) {
  const http::Limits limits;
  Seen seen;
  std::string input;
  auto parser = std::make_unique<http::RequestParser>(limits);
  while (true) {
    const auto before = parser->state();
    const auto taken = parser->feed(input);
    if (!taken) {
      seen.refused = taken.error().status;
      return seen;
    }
    input.erase(0, *taken);
    if (before == http::RequestParser::State::kHead && parser->state() != before &&
        !parser->set_body_limit(kBodyLimit)) {
      seen.refused = 413;
      return seen;
    }
    if (parser->state() == http::RequestParser::State::kDone) {
      check(parser->request(), limits);
      seen.requests.push_back(parser->request());
      if (!parser->keep_alive()) return seen;
      parser = std::make_unique<http::RequestParser>(limits);
      continue;
    }
    if (*taken > 0) continue;
    if (bytes.empty()) return seen;
    input += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  const Seen whole = read(bytes, bytes.size() + 1), cut = read(bytes, 1);
  fuzz::require(whole.refused == cut.refused);
  fuzz::require(whole.requests.size() == cut.requests.size());
  for (size_t i = 0; i < whole.requests.size(); ++i) {
    fuzz::require(whole.requests[i].target == cut.requests[i].target);
    fuzz::require(whole.requests[i].body == cut.requests[i].body);
    fuzz::require(whole.requests[i].headers.fields() == cut.requests[i].headers.fields());
  }
  return 0;
}
