// `server.auth` and `server.tls`, as written, beside what ServerConfig has of them.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace wave::model {

struct AccessConfig {
  std::vector<std::string> modes;  // as written: one or several; empty: nothing was written
  std::string jwt_algorithm;       // empty: HS256 for a secret, what fits the key else
  std::string jwt_keys;            // file (PEM, JWK, JWKS) or address of a JWKS
  std::string issuer, audience;
  Millis leeway = std::chrono::seconds(30);
  std::string role_claim = "role";
  std::string default_role;                       // of tokens without the claim; empty: refused
  std::map<std::string, std::string> roles;       // value of the role claim -> role
  std::map<std::string, std::string> mtls_roles;  // name in the certificate -> role
  bool allow_anonymous = false;                   // mode none beyond loopback
  Millis session_lifetime = std::chrono::hours(12);
  int rate_limit = 1000;                     // requests per second and address; 0: no limit
  std::vector<std::string> trusted_proxies;  // addresses and networks ("10.0.0.0/8")
  std::vector<std::string> allowed_hosts;    // names the server is called by, beside its address
  std::vector<std::string> allowed_origins;  // other sites whose pages may use it
  std::string tls_min_version = "1.2";
  std::string tls_crl;  // file of revoked client certificates
  /// Where keys were written, by their whole path ("server.auth.jwt_secret").
  std::map<std::string, SourcePos, std::less<>> places;
};

}  // namespace wave::model
