// Secrets that stand in wave.yaml, found by the names of their keys.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/yaml.h"

namespace wave::model {

/// Whether a key of this name holds a secret: `jwt_secret`, `secret`, `password`, `api_key`,
/// `access_token`, and environment variables such as `DEPLOY_KEY`. A plain `key` does not: it names
/// a file or a choice.
bool is_secret_key(std::string_view name);

/// The values, as written, of all keys of `root` that hold secrets; of lists and mappings, all
/// values in them.
std::vector<std::string> written_secrets(const yaml::Node& root);

}  // namespace wave::model
