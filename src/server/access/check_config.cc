#include "server/access/check_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/key.h"
#include "base/file.h"
#include "server/access/address.h"

namespace wave::server::access {
namespace {

class Check {
 public:
  explicit Check(const ConfigQuestion& question)
      : question_(question), config_(question.config), modes_(modes_of(question.config)) {}

  Status run() {
    check_modes();
    check_jwt();
    check_mtls();
    check_tls();
    check_anonymous();
    check_network();
    if (found_.empty()) return {};
    Error first = std::move(found_.front());
    first.others.assign(std::make_move_iterator(found_.begin() + 1),
                        std::make_move_iterator(found_.end()));
    return fail(std::move(first));
  }

 private:
  [[nodiscard]] bool has(std::string_view mode) const {
    return std::ranges::find(modes_, mode) != modes_.end();
  }

  // The key's own place, else the nearest written one above it, else the file.
  [[nodiscard]] SourcePos place(std::string_view key) const {
    const auto& places = config_.access.places;
    if (const auto found = places.find(key); found != places.end()) return found->second;
    if (const auto mode = places.find("server.auth.mode"); mode != places.end()) {
      return mode->second;
    }
    if (!places.empty()) return places.begin()->second;
    return {question_.manifest, 0, 0};
  }

  void report(std::string_view key, std::string message, std::string remedy) {
    Error error(Code::kInvalidManifest, fmt::format("{}: {}", key, message), std::move(remedy));
    found_.push_back(error.at(place(key)));
  }

  [[nodiscard]] std::optional<auth::Algorithm> algorithm() const {
    return auth::algorithm_from_name(config_.access.jwt_algorithm);
  }

  void check_modes() {
    if (has("bearer")) {
      report("server.auth.mode", "\"bearer\" is not a mode of this server",
             "write mode: jwt, with server.auth.jwt_secret; `wave token create` makes tokens");
    }
    if (modes_.size() > 1 && has("none")) {
      report("server.auth.mode", "\"none\" beside another mode would let everybody in",
             "leave \"none\" out");
    }
  }

  void check_jwt() {
    const bool secret = !config_.jwt_secret.empty();
    const bool keys = !config_.access.jwt_keys.empty();
    if (!has("jwt")) {
      // A key that is ignored is a lock that somebody believes in.
      if (secret || keys) {
        report(secret ? "server.auth.jwt_secret" : "server.auth.jwt_keys",
               "a key for tokens is given, and no token is asked for",
               "write server.auth.mode: jwt, or remove the key");
      }
      return;
    }
    if (secret && keys) {
      report("server.auth.jwt_keys", "a secret and public keys are given",
             "keep server.auth.jwt_secret or server.auth.jwt_keys");
      return;
    }
    if (!secret && !keys) {
      report("server.auth.jwt_secret", "mode jwt has no key to check tokens with",
             "set server.auth.jwt_secret: ${WAVE_JWT_SECRET} (`wave token keygen` makes one), or "
             "server.auth.jwt_keys");
      return;
    }
    if (secret) return check_secret();
    check_keys();
  }

  void check_secret() {
    const auth::Algorithm wanted = algorithm().value_or(auth::Algorithm::kHs256);
    if (!auth::is_symmetric(wanted)) {
      report("server.auth.jwt_algorithm",
             fmt::format("{} needs a key pair, and a secret is given", auth::to_string(wanted)),
             "name the public key in server.auth.jwt_keys, or use HS256");
      return;
    }
    if (config_.jwt_secret.starts_with("$")) {
      report("server.auth.jwt_secret", "the variable that holds the secret is not set",
             "export it before `wave serve`");
      return;
    }
    if (const auto key = auth::Key::from_secret(config_.jwt_secret, wanted); !key) {
      report("server.auth.jwt_secret", key.error().message, key.error().hint);
    }
  }

  void check_keys() {
    const std::string& keys = config_.access.jwt_keys;
    if (const auto wanted = algorithm(); wanted && auth::is_symmetric(*wanted)) {
      report("server.auth.jwt_algorithm",
             fmt::format("{} is signed with a secret, and public keys are given",
                         auth::to_string(*wanted)),
             "use the algorithm of the keys, or server.auth.jwt_secret");
      return;
    }
    if (keys.starts_with("https://") || keys.starts_with("http://")) {
      // A provider signs tokens of all its applications with the same keys.
      if (config_.access.issuer.empty() && config_.access.audience.empty()) {
        report("server.auth.jwt_keys",
               "without an issuer or audience, tokens of any application of that provider "
               "would be accepted",
               "set server.auth.audience to what the provider writes into \"aud\" for this "
               "server, or server.auth.issuer if it issues tokens for this server only");
      }
      if (keys.starts_with("https://")) return;  // fetched at the start
      const std::string_view rest = std::string_view(keys).substr(7);
      if (is_loopback_host(host_of(rest.substr(0, rest.find('/'))))) return;
      report("server.auth.jwt_keys", "keys that come without encryption can be anybody's",
             "use https://");
      return;
    }
    const auto text = read_file(question_.project / keys, auth::Key::kMaxText);
    if (!text) {
      report("server.auth.jwt_keys", text.error().message, "name a PEM file or a JWKS");
      return;
    }
    const auto set = auth::KeySet::parse(*text, algorithm());
    if (!set) {
      report("server.auth.jwt_keys", full_message(set.error()), set.error().hint);
      return;
    }
    if (auth::is_symmetric(set->keys()[0].algorithm())) {
      report("server.auth.jwt_keys", "the file holds a secret",
             "put it into the environment: server.auth.jwt_secret: ${WAVE_JWT_SECRET}");
    }
  }

  void check_mtls() {
    if (!has("mtls")) {
      if (!config_.access.mtls_roles.empty()) {
        report("server.auth.mtls.roles", "certificates are given roles, and none is asked for",
               "write server.auth.mode: mtls or [jwt, mtls], or remove the roles");
      }
      return;
    }
    if (!config_.tls_enabled) {
      report("server.tls.enabled", "mode mtls works with TLS only",
             "write server.tls: {enabled: true, cert: ..., key: ..., ca: ...}; `wave cert init` "
             "makes them");
    }
    if (config_.tls_ca.empty()) {
      report("server.tls.ca", "mode mtls has no authority to check certificates against",
             "name the CA's certificate in server.tls.ca");
    }
    if (config_.access.mtls_roles.empty()) {
      report("server.auth.mtls.roles", "no certificate has a role: nobody could do anything",
             "write server.auth.mtls.roles: {name-in-the-certificate: admin}");
    }
  }

  void check_file(std::string_view key, const std::string& path) {
    if (path.empty()) return;
    std::error_code error;
    const fs::path whole = question_.project / path;
    if (!fs::is_regular_file(whole, error)) {
      report(key, fmt::format("there is no file {}", whole.native()), "correct the path");
    }
  }

  void check_tls() {
    const bool cert = !config_.tls_cert.empty();
    const bool key = !config_.tls_key.empty();
    if (cert != key) {
      report(cert ? "server.tls.key" : "server.tls.cert",
             cert ? "a certificate is given without its key"
                  : "a key is given without its certificate",
             "give both server.tls.cert and server.tls.key");
    } else if (config_.tls_enabled && !cert) {
      report("server.tls.cert", "TLS is on without certificate and key",
             "give both server.tls.cert and server.tls.key; `wave cert init` makes some for a try");
    } else if (!config_.tls_enabled && (cert || !config_.tls_ca.empty())) {
      report("server.tls.enabled", "certificates are given, and TLS is off",
             "write server.tls.enabled: true, or remove the files");
    }
    if (!config_.access.tls_crl.empty() && config_.tls_ca.empty()) {
      report("server.tls.crl", "a list of revoked certificates is given without the CA",
             "name the CA's certificate in server.tls.ca");
    }
    check_file("server.tls.cert", config_.tls_cert);
    check_file("server.tls.key", config_.tls_key);
    check_file("server.tls.ca", config_.tls_ca);
    check_file("server.tls.crl", config_.access.tls_crl);
  }

  void check_anonymous() {
    const bool anonymous = modes_.size() == 1 && has("none");
    if (!anonymous || config_.access.allow_anonymous || is_loopback_host(question_.host)) return;
    report("server.auth.mode",
           fmt::format("mode none on {}: whoever reaches it could run commands on this machine",
                       question_.host.empty() ? "every address" : question_.host),
           "choose jwt or mtls, listen on 127.0.0.1, or say server.auth.allow_anonymous: true");
  }

  void check_network() {
    for (const std::string& text : config_.access.trusted_proxies) {
      const auto network = Network::parse(text);
      if (!network) {
        report("server.trusted_proxies", fmt::format("\"{}\" is no address or network", text),
               "write 10.0.0.1 or 10.0.0.0/8");
      } else if (network->bits == 0) {
        report("server.trusted_proxies", fmt::format("\"{}\" believes everybody", text),
               "name your proxies");
      }
    }
    for (const std::string& origin : config_.access.allowed_origins) {
      const bool good = (origin.starts_with("https://") || origin.starts_with("http://")) &&
                        std::ranges::count(origin, '/') == 2;
      if (!good) {
        report("server.allowed_origins", fmt::format("\"{}\" is no origin", origin),
               "write https://host or https://host:port");
      }
    }
  }

  const ConfigQuestion& question_;
  const model::ServerConfig& config_;
  const std::vector<std::string> modes_;
  std::vector<Error> found_;
};

}  // namespace

std::vector<std::string> modes_of(const model::ServerConfig& config) {
  if (config.access.modes.empty()) return {"none"};
  return config.access.modes;
}

Status check_config(const ConfigQuestion& question) {
  return Check(question).run();
}

std::optional<http::TlsOptions> tls_options(const ConfigQuestion& question) {
  const model::ServerConfig& config = question.config;
  if (!config.tls_enabled) return std::nullopt;
  const auto file = [&](const std::string& path) {
    return path.empty() ? fs::path() : question.project / path;
  };
  const auto modes = modes_of(config);
  const bool mtls = std::ranges::find(modes, "mtls") != modes.end();
  http::TlsOptions options;
  options.certificate = file(config.tls_cert);
  options.key = file(config.tls_key);
  options.client_ca = file(config.tls_ca);
  options.crl = file(config.access.tls_crl);
  options.min_version = config.access.tls_min_version;
  if (mtls) {
    options.client_certificates = modes.size() == 1 ? http::ClientCertificates::kRequired
                                                    : http::ClientCertificates::kOptional;
  }
  return options;
}

}  // namespace wave::server::access
