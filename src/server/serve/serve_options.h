// What `wave serve` was asked for, and what that means once manifest and environment are read.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "model/manifest.h"

namespace wave::server {

/// Flags as given; what is not given is left out.
struct ServeFlags {
  std::optional<std::string> bind;
  std::optional<int> port, max_concurrent;
  Millis drain_timeout{0};   // how long running steps may take to end on shutdown
  bool stop_agents = false;  // stop agents on shutdown instead of leaving them at work
  bool open = false;         // open a browser
  bool demo = false;         // the demo project, for this machine only
};

struct ServeSettings {
  bool demo = false;
  std::string host;
  uint16_t port = 0;
  std::string base_path;  // "/wave", or empty
  int max_concurrent = 5;
};

/// Flags over environment (WAVE_BIND, WAVE_PORT, WAVE_MAX_CONCURRENT) over manifest over defaults.
/// kInvalidManifest or kUsage, naming the key or flag and the remedy. The demo has nobody at its
/// door: it listens on loopback only.
Result<ServeSettings> resolve_settings(const ServeFlags& flags,
                                       const std::map<std::string, std::string>& environment,
                                       const model::Manifest& manifest);

/// "127.0.0.1:8080", "[::1]:8080", "localhost", ":8080": host and port; what is left out keeps the
/// value it has. kUsage when it is none of these.
Status parse_bind(const std::string& text, std::string& host, uint16_t& port);

/// Whether only this machine can reach the address.
bool is_loopback(const std::string& host);

}  // namespace wave::server
