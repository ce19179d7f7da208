#include "server/access/expand_config.h"

#include <fmt/format.h>

#include "base/expand_environment.h"
#include "base/text.h"

namespace wave::server::access {

Status expand_config(model::ServerConfig& config,
                     const std::map<std::string, std::string>& environment) {
  if (config.jwt_secret.starts_with("$") && !config.jwt_secret.starts_with("${") &&
      !config.jwt_secret.starts_with("$$")) {
    config.jwt_secret = fmt::format("${{{}}}", config.jwt_secret.substr(1));
  }
  model::AccessConfig& access = config.access;
  const std::pair<const char*, std::string*> values[] = {
      {"server.auth.jwt_secret", &config.jwt_secret},
      {"server.auth.jwt_keys", &access.jwt_keys},
      {"server.auth.issuer", &access.issuer},
      {"server.auth.audience", &access.audience},
      {"server.tls.cert", &config.tls_cert},
      {"server.tls.key", &config.tls_key},
      {"server.tls.ca", &config.tls_ca},
      {"server.tls.crl", &access.tls_crl},
  };
  for (const auto& [key, value] : values) {
    auto expanded = expand_environment(*value, environment, key);
    if (!expanded) {
      const auto place = access.places.find(std::string_view(key));
      return fail(place == access.places.end() ? expanded.error()
                                               : expanded.error().at(place->second));
    }
    *value = *std::move(expanded);
  }
  // Files and tools leave a line break behind a secret, and whoever signs with it does not.
  config.jwt_secret = std::string(trim(config.jwt_secret));
  return {};
}

}  // namespace wave::server::access
