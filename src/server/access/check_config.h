// Whether the written configuration lets in whom it means to, and nobody else (promise A1).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"
#include "http/tls.h"
#include "model/manifest.h"

namespace wave::server::access {

struct ConfigQuestion {
  const model::ServerConfig& config;
  std::string host;                    // that the server will listen on
  std::filesystem::path project;       // relative files are meant from here
  std::string manifest = "wave.yaml";  // for errors about keys that were not written
};

/// Everything that does not fit together, as one error (the others in `others`), each with its key,
/// place and remedy. kInvalidManifest.
Status check_config(const ConfigQuestion& question);

/// The modes in force: none, or jwt, mtls, or both.
std::vector<std::string> modes_of(const model::ServerConfig& config);

/// What the listener needs; nothing when TLS is not configured. Call check_config before.
std::optional<http::TlsOptions> tls_options(const ConfigQuestion& question);

}  // namespace wave::server::access
