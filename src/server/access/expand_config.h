// The server's configuration with its variables filled in.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "model/manifest.h"

namespace wave::server::access {

/// Fills ${NAME} in keys, secrets and files of `server.auth` and `server.tls`; upstream's
/// `jwt_secret: $NAME` too. kInvalidManifest, with the key's place, for a variable that is not set.
Status expand_config(model::ServerConfig& config,
                     const std::map<std::string, std::string>& environment);

}  // namespace wave::server::access
