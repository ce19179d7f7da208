// TLS 1.2 and 1.3 with OpenSSL, attached to the descriptor.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"

namespace wave::http {

enum class ClientCertificates { kNone, kOptional, kRequired };

struct TlsOptions {
  std::filesystem::path certificate, key;  // PEM; the certificate may be a chain
  std::filesystem::path client_ca;         // PEM: who may sign client certificates
  std::filesystem::path crl;               // PEM, optional: revoked client certificates
  ClientCertificates client_certificates = ClientCertificates::kNone;
  std::string min_version = "1.2";  // or "1.3"
};

/// A loaded and checked configuration: key and certificate belong together, files are readable.
/// Immutable; shared by connections. Thread: any.
class TlsContext {
 public:
  static Result<std::shared_ptr<TlsContext>> load(const TlsOptions& options);
  ~TlsContext();
  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit TlsContext(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace wave::http
