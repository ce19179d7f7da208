// A pipeline file of any content gives diagnostics, never a crash.
#include "fuzz.h"
#include "model/project.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  const model::MemorySource files({});
  model::Manifest manifest;
  const auto loaded =
      model::parse_pipeline(fuzz::text(data, size), ".agents/pipelines/x.yaml", manifest, files);
  for (const model::Diagnostic& diagnostic : loaded.diagnostics) {
    fuzz::require(!diagnostic.message.empty());
  }
  return 0;
}
