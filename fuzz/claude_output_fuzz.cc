// An agent's output of any content, cut in two anywhere: the same result as whole.
#include "agent/adapter.h"
#include "fuzz.h"

namespace {

wave::agent::AgentResult parse(std::string_view first, std::string_view second) {
  const auto parser = wave::agent::find_adapter("claude")->parser();
  std::vector<wave::agent::Activity> activity;
  parser->feed_out(first, activity);
  parser->feed_out(second, activity);
  return parser->finish({.exit_code = 0}, activity);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  if (size == 0) return 0;
  const std::string_view text = fuzz::text(data + 1, size - 1);
  const size_t cut = text.empty() ? 0 : data[0] * text.size() / 256;
  const agent::AgentResult whole = parse(text, "");
  const agent::AgentResult halves = parse(text.substr(0, cut), text.substr(cut));
  fuzz::require(whole.succeeded == halves.succeeded && whole.final_text == halves.final_text);
  fuzz::require(whole.usage == halves.usage);
  return 0;
}
