// YAML of any content gives a tree or diagnostics with places, in bounded time and memory.
#include "fuzz.h"
#include "model/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  model::Diagnostics diagnostics;
  const auto document = model::yaml::parse(std::string(fuzz::text(data, size)), "x.yaml",
                                           Code::kInvalidPipeline, diagnostics);
  for (const model::Diagnostic& diagnostic : diagnostics)
    fuzz::require(!diagnostic.message.empty());
  (void)document;
  return 0;
}
