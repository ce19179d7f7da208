// What TlsContext holds; for this room only.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "http/tls.h"
#include "http/transport.h"

namespace wave::http {

struct TlsContext::Impl {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{nullptr, &SSL_CTX_free};

  [[nodiscard]] SslPointer connection() const { return SslPointer(SSL_new(context.get())); }
};

}  // namespace wave::http
