// TLS for clients: which authorities are trusted, who the server has to be, who the client is.
#pragma once

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace wave::http {

struct ClientTlsFiles {
  std::filesystem::path ca_file, certificate, key;  // see ClientOptions
};

struct ClientSslDeleter {
  void operator()(SSL* ssl) const;
};
using ClientSsl = std::unique_ptr<SSL, ClientSslDeleter>;

/// A connection that accepts only a certificate for `host` (a name or an address). kUsage, naming
/// the file, when one cannot be used.
Result<ClientSsl> make_client_ssl(const ClientTlsFiles& files, const std::string& host);
/// Why the handshake or a read failed: the certificate's fault, or the library's words.
Error client_tls_error(const SSL* ssl, const std::string& host);

}  // namespace wave::http
