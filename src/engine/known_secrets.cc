#include "engine/known_secrets.h"

#include "base/expand_environment.h"
#include "base/redact.h"

namespace wave::engine {

std::vector<std::string> known_secrets(const model::Manifest& manifest,
                                       const std::map<std::string, std::string>& environment) {
  std::vector<std::string> secrets = secret_values(environment);
  for (const std::string& written : manifest.secrets) {
    // A variable that is not set holds no secret; whoever needs it says so. "$NAME" is taken too.
    const bool is_bare =
        written.size() > 1 && written.front() == '$' && written[1] != '{' && written[1] != '$';
    const std::string text = is_bare ? "${" + written.substr(1) + "}" : written;
    if (const auto value = expand_environment(text, environment, "")) secrets.push_back(*value);
    // As it stands in the file: what looks like a variable may be none.
    if (!written.starts_with('$')) secrets.push_back(written);
  }
  return secrets;
}

}  // namespace wave::engine
