#include "model/access_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace wave::model {
namespace {

// The key, noting where it was written: what does not fit together is found later, by `wave serve`.
Key<ServerConfig> placed(Key<ServerConfig> inner) {
  inner.read = [read = std::move(inner.read)](ServerConfig& value, Binder& binder,
                                              const yaml::Node& node) {
    value.access.places[binder.path()] = binder.pos(node);
    read(value, binder, node);
  };
  return inner;
}

// A key of AccessConfig.
template <typename V>
Key<ServerConfig> access(std::string_view name, V AccessConfig::* member,
                         std::string_view meaning) {
  return placed(within(&ServerConfig::access, key(name, member, meaning)));
}

constexpr std::array<std::string_view, 4> kModes{"none", "bearer", "jwt", "mtls"};

Key<ServerConfig> mode_key() {
  Key<ServerConfig> made =
      custom<ServerConfig>(
          "mode", "text or list of text",
          "how callers show who they are: `none`, `jwt`, `mtls`, or the list of both",
          [](ServerConfig& value, Binder& binder, const yaml::Node& node) {
            std::vector<std::string> modes;
            if (node.is_sequence()) {
              if (!binder.read(node, modes)) return;
            } else if (!binder.read(node, modes.emplace_back())) {
              return;
            }
            for (const std::string& mode : modes) {
              if (std::ranges::find(kModes, mode) != kModes.end()) continue;
              const std::vector<std::string> known(kModes.begin(), kModes.end());
              const auto meant = did_you_mean(mode, known);
              binder.error(
                  node, fmt::format("\"{}\" is no mode", excerpt(mode, 40)),
                  meant ? fmt::format("did you mean \"{}\"?", *meant) : "none, jwt and mtls are");
            }
            value.auth_mode = join(modes, ", ");
            value.access.modes = std::move(modes);
          })
          .fallback("none");
  return placed(std::move(made));
}

Key<ServerConfig> roles_key(std::string_view name,
                            std::map<std::string, std::string> AccessConfig::* member,
                            std::string_view meaning) {
  Key<ServerConfig> made = custom<ServerConfig>(
      name, "mapping of text", meaning,
      [member](ServerConfig& value, Binder& binder, const yaml::Node& node) {
        if (!binder.read(node, value.access.*member)) return;
        for (const auto& [from, role] : value.access.*member) {
          if (role == "viewer" || role == "operator" || role == "admin") continue;
          binder.error(node, fmt::format("\"{}\" is no role", excerpt(role, 40)),
                       "viewer, operator and admin are");
        }
      });
  return placed(std::move(made));
}

const KeyTable<ServerConfig>& mtls_keys() {
  static const KeyTable<ServerConfig> table(
      "server.auth.mtls", "Callers that show a certificate.",
      {
          roles_key("roles", &AccessConfig::mtls_roles,
                    "name in the certificate (e-mail, DNS name, URI or common name) to role; "
                    "others are refused"),
      });
  return table;
}

}  // namespace

const KeyTable<ServerConfig>& auth_keys() {
  static const KeyTable<ServerConfig> table(
      "server.auth", "Who may use the server (docs/security.md).",
      {
          mode_key(),
          placed(key("jwt_secret", &ServerConfig::jwt_secret,
                     "secret that tokens are signed with, at least as long as the hash")),
          access("jwt_algorithm", &AccessConfig::jwt_algorithm,
                 "how tokens are signed; a token's own word never counts")
              .one_of({"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256",
                       "ES384", "EdDSA"}),
          access("jwt_keys", &AccessConfig::jwt_keys,
                 "public keys instead of a secret: a file (PEM or JWKS) or the address of a JWKS, "
                 "which needs `audience` or `issuer`"),
          access("issuer", &AccessConfig::issuer, "`iss` that tokens need"),
          access("audience", &AccessConfig::audience, "`aud` that tokens need"),
          access("leeway", &AccessConfig::leeway, "by how much clocks may differ").fallback("30s"),
          access("role_claim", &AccessConfig::role_claim,
                 "where a token says its role; a dotted path leads into objects")
              .fallback("role"),
          roles_key("roles", &AccessConfig::roles, "value of the role claim to role"),
          access("default_role", &AccessConfig::default_role,
                 "role of tokens without the claim; without it they are refused")
              .one_of({"viewer", "operator", "admin"}),
          access("session_lifetime", &AccessConfig::session_lifetime,
                 "how long a login of a browser lasts")
              .fallback("12h"),
          access("rate_limit", &AccessConfig::rate_limit,
                 "requests per second and address, with bursts of twice as many; 0: no limit")
              .fallback("1000"),
          access("allow_anonymous", &AccessConfig::allow_anonymous,
                 "mode `none` on an address that others reach: everybody there is admin")
              .fallback("false"),
          section<mtls_keys, ServerConfig>("mtls", "client certificates"),
      });
  return table;
}

const KeyTable<ServerConfig>& tls_keys() {
  static const KeyTable<ServerConfig> table(
      "server.tls", "Encryption.",
      {
          placed(key("enabled", &ServerConfig::tls_enabled, "use TLS")).fallback("false"),
          placed(key("cert", &ServerConfig::tls_cert, "certificate file (PEM, chain allowed)")),
          placed(key("key", &ServerConfig::tls_key, "key file (PEM)")),
          placed(key("ca", &ServerConfig::tls_ca,
                     "authorities that may sign client certificates (PEM)")),
          access("crl", &AccessConfig::tls_crl, "revoked client certificates (PEM)"),
          access("min_version", &AccessConfig::tls_min_version, "oldest version of TLS")
              .fallback("1.2")
              .one_of({"1.2", "1.3"}),
      });
  return table;
}

Key<ServerConfig> trusted_proxies_key() {
  return access("trusted_proxies", &AccessConfig::trusted_proxies,
                "addresses and networks whose Forwarded and X-Forwarded-For are believed");
}
Key<ServerConfig> allowed_hosts_key() {
  return access("allowed_hosts", &AccessConfig::allowed_hosts,
                "names the server is called by, beside the address it listens on");
}
Key<ServerConfig> allowed_origins_key() {
  return access("allowed_origins", &AccessConfig::allowed_origins,
                "other sites whose pages may use the server, `https://host[:port]`");
}

}  // namespace wave::model
