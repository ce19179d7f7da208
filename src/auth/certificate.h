// Certificates: who a client's one stands for, and making a few for a first try.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "auth/identity.h"
#include "base/clock.h"
#include "base/result.h"

namespace wave::auth {

struct CertificateIdentity {
  std::string name;         // the first e-mail address, else DNS name, else URI of the alternative
                            // names (RFC 5280 section 4.2.1.6), else the common name
  std::string fingerprint;  // SHA-256 of the DER: 64 hexadecimal digits
  WallTime not_before{}, not_after{};
};

/// Reads a certificate that TLS has verified. kUnauthorized (certificate_malformed,
/// certificate_nameless) when there is no usable name: none, too long, or with control characters.
Result<CertificateIdentity> certificate_identity(std::string_view der);

struct CertificateRequest {
  std::filesystem::path folder;                                     // made with mode 0700
  std::vector<std::string> hosts{"localhost", "127.0.0.1", "::1"};  // of the server
  std::string client = "admin";                                     // common name of the client
  int days = 365;
  bool overwrite = false;
};

struct MadeCertificates {
  std::filesystem::path ca, ca_key, server, server_key, client, client_key;
  std::string client_fingerprint;
};

/// An authority, a server certificate and a client certificate (ECDSA, P-256); keys have mode 0600.
/// kConflict when a file is there already and `overwrite` was not asked for.
Result<MadeCertificates> make_certificates(const CertificateRequest& request, WallTime now);

}  // namespace wave::auth
