// Certificates from anywhere end in a Result; a name that is taken is short and printable.
#include "auth/certificate.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  const auto identity = auth::certificate_identity(fuzz::text(data, size));
  if (!identity) return 0;
  fuzz::require(!identity->name.empty() && identity->name.size() <= 256);
  fuzz::require(identity->fingerprint.size() == 64);
  return 0;
}
