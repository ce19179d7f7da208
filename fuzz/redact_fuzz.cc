// No cut of a stream lets a secret through (promise S6).
#include "base/redact.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  static const Redactor redactor({"correct horse battery", "s3cr3t-v4lue-123"});
  if (size == 0) return 0;
  const std::string_view text = fuzz::text(data + 1, size - 1);
  const size_t step = data[0] % 16 + 1;
  StreamRedactor stream(redactor);
  std::string streamed;
  for (size_t at = 0; at < text.size(); at += step) streamed += stream.feed(text.substr(at, step));
  streamed += stream.finish();
  fuzz::require(streamed == redactor.redact(text));
  fuzz::require(!streamed.contains("s3cr3t-v4lue-123"));
  return 0;
}
