#include <array>

#include "agent/adapter.h"
#include "base/text.h"

namespace wave::agent {
namespace {

// What programs need to find themselves, their caches and the network; nothing that carries a
// credential.
constexpr auto kBase = std::to_array<std::string_view>({
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "XDG_*",
    "GOPATH",
    "GOMODCACHE",
    "GOCACHE",
    "GOROOT",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "JAVA_HOME",
    "NVM_DIR",
    "PYENV_ROOT",
    "VIRTUAL_ENV",
    "DOTNET_ROOT",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
});

bool is_own(std::string_view name) {
  return name.starts_with("WAVE_");
}

bool covers(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

void pick(const std::map<std::string, std::string>& own, std::string_view pattern,
          std::map<std::string, std::string>& env) {
  if (!pattern.ends_with('*')) {
    const auto found = own.find(std::string(pattern));
    if (found != own.end() && !is_own(pattern)) env.insert(*found);
    return;
  }
  for (const auto& [name, value] : own) {
    if (covers(pattern, name) && !is_own(name)) env.emplace(name, value);
  }
}

}  // namespace

std::map<std::string, std::string> base_environment(const std::map<std::string, std::string>& own,
                                                    const std::vector<std::string>& allow,
                                                    const std::vector<std::string>& passthrough) {
  std::map<std::string, std::string> env;
  for (const auto name : kBase) pick(own, name, env);
  for (const auto& name : allow) pick(own, name, env);
  for (const auto& name : passthrough) pick(own, name, env);
  const auto value_or = [&](const char* name, const char* fallback) {
    const auto found = own.find(name);
    env[name] = found != own.end() && !found->second.empty() ? found->second : fallback;
  };
  value_or("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  value_or("TMPDIR", "/tmp");
  env["TERM"] = "dumb";
  return env;
}

std::string dependency_variable(std::string_view step, std::string_view artifact) {
  std::string name = to_upper(fmt::format("WAVE_DEP_{}_{}", step, artifact));
  for (char& c : name) {
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) c = '_';
  }
  return name;
}

}  // namespace wave::agent
