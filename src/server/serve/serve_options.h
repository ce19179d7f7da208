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
};

struct ServeSettings {
  std::string host;
  uint16_t port = 0;
  int max_concurrent = 5;
};

/// Flags over environment (WAVE_BIND, WAVE_PORT, WAVE_MAX_CONCURRENT) over manifest over defaults.
/// kInvalidManifest or kUsage, naming the key or flag and the remedy.
Result<ServeSettings> resolve_settings(const ServeFlags& flags,
                                       const std::map<std::string, std::string>& environment,
                                       const model::Manifest& manifest);

/// "127.0.0.1:8080", "[::1]:8080", "localhost", ":8080": host and port; what is left out keeps the
/// value it has. kUsage when it is none of these.
Status parse_bind(const std::string& text, std::string& host, uint16_t& port);

/// Replaces every ${NAME} by the variable's value; "$$" is a dollar sign. kInvalidManifest for a
/// variable that is not set, and for a brace that is not closed; `key` is named in the error.
Result<std::string> expand_environment(const std::string& text,
                                       const std::map<std::string, std::string>& environment,
                                       const std::string& key);

/// Whether only this machine can reach the address.
bool is_loopback(const std::string& host);

}  // namespace wave::server
