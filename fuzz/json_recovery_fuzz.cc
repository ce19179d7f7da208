// Recovery at every level: no crash, and what is JSON already stays what it is.
#include "contract/json_recovery.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  using contract::RecoveryLevel;
  const std::string_view text = fuzz::text(data, size);
  const auto plain = parse_json(text);
  for (const auto level : {RecoveryLevel::kNone, RecoveryLevel::kConservative,
                           RecoveryLevel::kProgressive, RecoveryLevel::kAggressive}) {
    const auto recovered = contract::recover_json(text, level);
    if (!plain) continue;
    fuzz::require(recovered.has_value() && recovered->value == *plain);
  }
  return 0;
}
