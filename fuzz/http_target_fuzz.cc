// Targets, queries, URLs and escapes.
#include "fuzz.h"
#include "http/target.h"
#include "http/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  const std::string_view text = fuzz::text(data, size);
  http::Request request;
  request.target = text;
  if (http::parse_target(request)) {
    fuzz::require(request.target.starts_with('/') && request.path.starts_with('/'));
    for (const std::string& segment : request.segments) {
      fuzz::require(segment != "." && segment != ".." && !segment.contains('\0'));
    }
    for (const auto& [name, value] : request.query) {
      fuzz::require(!name.contains('\0') && !value.contains('\0'));
    }
    // Origin-form now: reading it again changes nothing.
    http::Request again;
    again.target = request.target;
    fuzz::require(http::parse_target(again));
    fuzz::require(again.segments == request.segments && again.query == request.query);
  }
  if (!text.contains('\0')) {
    const auto back = http::percent_decode(http::percent_encode(text), false);
    fuzz::require(back && *back == text);
  }
  if (const auto url = http::parse_url(text)) {
    fuzz::require(!url->host.empty() && url->port > 0 && url->target.starts_with('/'));
    const auto again =
        http::parse_url((url->tls ? "https://" : "http://") + url->authority() + url->target);
    fuzz::require(again && again->host == url->host && again->port == url->port);
  }
  return 0;
}
