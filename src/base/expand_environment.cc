#include "base/expand_environment.h"

#include <fmt/core.h>

namespace wave {

Result<std::string> expand_environment(const std::string& text,
                                       const std::map<std::string, std::string>& environment,
                                       const std::string& key) {
  std::string expanded;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text.compare(at, 2, "$$") == 0) {
      expanded.push_back('$');
      ++at;
      continue;
    }
    if (text.compare(at, 2, "${") != 0) {
      expanded.push_back(text[at]);
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string::npos) {
      return fail(Code::kInvalidManifest, fmt::format("{}: \"${{\" is not closed", key),
                  "write ${NAME}, or $$ for a dollar sign");
    }
    const std::string name = text.substr(at + 2, end - at - 2);
    const auto found = environment.find(name);
    if (found == environment.end()) {
      return fail(Code::kInvalidManifest,
                  fmt::format("{}: the environment variable {} is not set", key, name),
                  fmt::format("export {}=..., or write the value into the manifest", name));
    }
    expanded += found->second;
    at = end;
  }
  return expanded;
}

}  // namespace wave
