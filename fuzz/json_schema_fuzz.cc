// The first line is a schema, the rest an instance: both foreign, both bounded.
#include "contract/json_schema.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  const std::string_view text = fuzz::text(data, size);
  const size_t line = std::min(text.find('\n'), text.size());
  const auto schema = parse_json(text.substr(0, line));
  const auto instance = parse_json(text.substr(std::min(line + 1, text.size())));
  if (!schema || !instance) return 0;
  const auto compiled = contract::JsonSchema::compile(*schema);
  if (compiled) (void)compiled->validate(*instance);
  return 0;
}
