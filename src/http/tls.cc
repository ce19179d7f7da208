#include "http/tls.h"

#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "http/tls_impl.h"

namespace wave::http {
namespace {

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "unknown reason" : reason;
  ERR_clear_error();
  return text;
}

std::unexpected<Error> tls_error(std::string what, std::string hint) {
  return fail(Code::kInvalidManifest, fmt::format("{}: {}", what, openssl_reason()),
              std::move(hint));
}

Status load_certificate(SSL_CTX* context, const TlsOptions& options) {
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate.c_str()) != 1) {
    return tls_error(fmt::format("the certificate {} cannot be used", options.certificate.string()),
                     "it has to be a PEM file, the server's certificate first");
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return tls_error(fmt::format("the key {} cannot be used", options.key.string()),
                     "it has to be the PEM file of the certificate's key, without a passphrase");
  }
  if (SSL_CTX_check_private_key(context) != 1) {
    return tls_error(
        fmt::format("{} is not the key of {}", options.key.string(), options.certificate.string()),
        "name a certificate and its own key");
  }
  return {};
}

Status load_clients(SSL_CTX* context, const TlsOptions& options) {
  if (options.client_certificates == ClientCertificates::kNone) return {};
  const std::string authorities = options.client_ca.string();
  if (SSL_CTX_load_verify_locations(context, authorities.c_str(), nullptr) != 1) {
    return tls_error(fmt::format("the client authorities {} cannot be used", authorities),
                     "it has to be a PEM file of CA certificates");
  }
  SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(authorities.c_str()));
  if (!options.crl.empty()) {
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup == nullptr ||
        X509_load_crl_file(lookup, options.crl.c_str(), X509_FILETYPE_PEM) < 1) {
      return tls_error(fmt::format("the revocation list {} cannot be used", options.crl.string()),
                       "it has to be a PEM file");
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
  }
  const bool required = options.client_certificates == ClientCertificates::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     nullptr);
  return {};
}

}  // namespace

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::load(const TlsOptions& options) {
  int oldest = 0;
  if (options.min_version == "1.2") oldest = TLS1_2_VERSION;
  if (options.min_version == "1.3") oldest = TLS1_3_VERSION;
  if (oldest == 0) {
    return fail(Code::kInvalidManifest, fmt::format("TLS {} is not offered", options.min_version),
                "min_version is \"1.2\" or \"1.3\"");
  }
  ERR_clear_error();
  auto impl = std::make_unique<Impl>();
  impl->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = impl->context.get();
  if (context == nullptr) return tls_error("TLS cannot be set up", "");
  SSL_CTX_set_min_proto_version(context, oldest);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  // Sessions of different client authorities must not be mixed.
  static constexpr unsigned char kSessionContext[] = "wave";
  SSL_CTX_set_session_id_context(context, kSessionContext, sizeof(kSessionContext) - 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  WAVE_CHECK(load_certificate(context, options));
  WAVE_CHECK(load_clients(context, options));
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(impl)));
}

}  // namespace wave::http
