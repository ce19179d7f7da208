#include "server/serve/serve_options.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "base/expand_environment.h"
#include "base/text.h"

namespace wave::server {
namespace {

constexpr int kMostRuns = 10'000;

std::optional<int> number_in(const std::string& text, int least, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < least || value > most) return std::nullopt;
  return value;
}

std::optional<std::string> variable(const std::map<std::string, std::string>& environment,
                                    const std::string& name) {
  const auto found = environment.find(name);
  if (found == environment.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::unexpected<Error> bad_bind(const std::string& text) {
  return fail(Code::kUsage, fmt::format("\"{}\" is not an address to listen on", text),
              "write host:port, such as 127.0.0.1:8080 or [::1]:8080");
}

Result<int> number_variable(const std::string& name, const std::string& text, int least, int most) {
  if (const auto value = number_in(text, least, most)) return *value;
  return fail(Code::kUsage,
              fmt::format("{}: \"{}\" is not a number from {} to {}", name, text, least, most));
}

Result<std::string> base_path_of(const model::Manifest& manifest) {
  const std::string& path = manifest.server->base_path;
  const bool good = path.empty() || (path.starts_with('/') &&
                                     std::ranges::all_of(split(path.substr(1), '/'), is_safe_name));
  if (good) return path;
  return fail(Error(Code::kInvalidManifest,
                    fmt::format("server.base_path: \"{}\" is not a path of plain names", path),
                    "write it as the proxy shows it, without a slash at its end: /wave")
                  .at({.file = manifest.path}));
}

Status from_manifest(const model::Manifest& manifest,
                     const std::map<std::string, std::string>& environment,
                     ServeSettings& settings) {
  if (!manifest.server) return {};
  WAVE_TRY(const std::string bind,
           expand_environment(manifest.server->bind, environment, "server.bind"));
  if (!bind.empty()) {
    if (auto parsed = parse_bind(bind, settings.host, settings.port); !parsed) {
      Error error = parsed.error();
      error.code = Code::kInvalidManifest;
      error.message = "server.bind: " + error.message;
      return fail(error.at({.file = manifest.path}));
    }
  }
  WAVE_TRY(settings.base_path, base_path_of(manifest));
  settings.max_concurrent = manifest.server->max_concurrent;
  if (settings.max_concurrent < 1 || settings.max_concurrent > kMostRuns) {
    return fail(Error(Code::kInvalidManifest,
                      fmt::format("server.max_concurrent: {} runs at a time cannot be",
                                  settings.max_concurrent),
                      fmt::format("give a number from 1 to {}", kMostRuns))
                    .at({.file = manifest.path}));
  }
  return {};
}

}  // namespace

Status parse_bind(const std::string& text, std::string& host, uint16_t& port) {
  std::string host_part = text, port_part;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string::npos) return bad_bind(text);
    host_part = text.substr(1, end - 1);
    const std::string rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return bad_bind(text);
    if (!rest.empty()) port_part = rest.substr(1);
  } else if (std::ranges::count(text, ':') == 1) {
    host_part = text.substr(0, text.find(':'));
    port_part = text.substr(text.find(':') + 1);
    if (port_part.empty()) return bad_bind(text);
  }
  if (!port_part.empty()) {
    const auto number = number_in(port_part, 0, 65535);
    if (!number) return bad_bind(text);
    port = static_cast<uint16_t>(*number);
  }
  const bool odd = std::ranges::any_of(host_part, [](char c) { return c <= ' ' || c == '/'; });
  if (odd) return bad_bind(text);
  if (!host_part.empty()) host = host_part;
  return {};
}

bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr v4{};
  return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

Result<ServeSettings> resolve_settings(const ServeFlags& flags,
                                       const std::map<std::string, std::string>& environment,
                                       const model::Manifest& manifest) {
  ServeSettings settings{.demo = flags.demo, .host = "127.0.0.1", .port = 8080};
  WAVE_CHECK(from_manifest(manifest, environment, settings));
  if (const auto bind = variable(environment, "WAVE_BIND")) {
    WAVE_CHECK(parse_bind(*bind, settings.host, settings.port));
  }
  if (const auto port = variable(environment, "WAVE_PORT")) {
    WAVE_TRY(const int number, number_variable("WAVE_PORT", *port, 0, 65535));
    settings.port = static_cast<uint16_t>(number);
  }
  if (const auto runs = variable(environment, "WAVE_MAX_CONCURRENT")) {
    WAVE_TRY(settings.max_concurrent, number_variable("WAVE_MAX_CONCURRENT", *runs, 1, kMostRuns));
  }
  if (flags.bind) WAVE_CHECK(parse_bind(*flags.bind, settings.host, settings.port));
  if (flags.port) {
    if (*flags.port > 65535) {
      return fail(Code::kUsage, fmt::format("--port: {} is not a port", *flags.port),
                  "give a number from 0 (any free one) to 65535");
    }
    settings.port = static_cast<uint16_t>(*flags.port);
  }
  if (flags.max_concurrent) {
    if (*flags.max_concurrent < 1 || *flags.max_concurrent > kMostRuns) {
      return fail(Code::kUsage, "--max-concurrent: at least one run has to be able to run",
                  fmt::format("give a number from 1 to {}", kMostRuns));
    }
    settings.max_concurrent = *flags.max_concurrent;
  }
  if (flags.demo && !is_loopback(settings.host)) {
    return fail(Code::kUsage,
                fmt::format("--demo listens on this machine only, not on {}: whoever reaches it is "
                            "admin",
                            settings.host),
                "leave out --bind and WAVE_BIND, or serve a project of your own with server.auth");
  }
  return settings;
}

}  // namespace wave::server
