// What decode() takes, encode() writes again to the letter.
#include "flow/event.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  const auto event = flow::decode(fuzz::text(data, size));
  if (!event) return 0;
  const std::string line = flow::encode(*event);
  const auto again = flow::decode(line);
  fuzz::require(again.has_value());
  fuzz::require(flow::encode(*again) == line);
  return 0;
}
