// A script template of any content: run values never become code, whatever stands around them.
#include "fuzz.h"
#include "model/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  model::Diagnostics problems;
  const model::TemplateScope scope;
  const model::Template text =
      model::parse_template(fuzz::text(data, size), {"x.yaml", 1, 1}, "script", scope, problems);
  const model::Script script = model::compile_script(
      text, [](const model::Expression&) { return std::string("value"); }, "script", problems);
  fuzz::require(script.variables.size() <= text.parts.size());
  return 0;
}
