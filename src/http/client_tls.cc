#include "http/client_tls.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>

namespace wave::http {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

std::string library_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "no reason given" : reason;
  ERR_clear_error();
  return text;
}

std::unexpected<Error> bad_file(std::string_view what, const std::filesystem::path& file) {
  return fail(Code::kUsage,
              fmt::format("{} {} cannot be used: {}", what, file.string(), library_reason()),
              "it has to be a readable PEM file");
}

Status load_authorities(SSL_CTX* context, const std::filesystem::path& ca_file) {
  if (ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
    return {};
  }
  if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1)
    return bad_file("the authorities' file", ca_file);
  return {};
}

Status load_own(SSL_CTX* context, const ClientTlsFiles& files) {
  if (files.certificate.empty() && files.key.empty()) return {};
  if (files.certificate.empty() || files.key.empty()) {
    return fail(Code::kUsage, "a client certificate and its key belong together",
                "name both, or none");
  }
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return bad_file("the client certificate", files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad_file("the client key", files.key);
  if (SSL_CTX_check_private_key(context) != 1)
    return bad_file(
        fmt::format("{} is not the key's certificate; the key", files.certificate.string()),
        files.key);
  return {};
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

bool expect_host(SSL* ssl, const std::string& host) {
  if (is_address(host))
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 && SSL_set_tlsext_host_name(ssl, host.c_str()) == 1;
}

}  // namespace

void ClientSslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

Result<ClientSsl> make_client_ssl(const ClientTlsFiles& files, const std::string& host) {
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (context == nullptr)
    return fail(Code::kInternal, fmt::format("TLS cannot be set up: {}", library_reason()));
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_AUTO_RETRY |
                                      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  WAVE_CHECK(load_authorities(context.get(), files.ca_file));
  WAVE_CHECK(load_own(context.get(), files));
  ClientSsl ssl(SSL_new(context.get()));
  if (ssl == nullptr || !expect_host(ssl.get(), host)) {
    return fail(Code::kUsage,
                fmt::format("no certificate can be for {}: {}", host, library_reason()));
  }
  ERR_clear_error();
  return ssl;
}

Error client_tls_error(const SSL* ssl, const std::string& host) {
  const long verdict = SSL_get_verify_result(ssl);
  if (verdict != X509_V_OK) {
    ERR_clear_error();
    return {Code::kServerUnreachable,
            fmt::format("the certificate of {} is not trusted: {}", host,
                        X509_verify_cert_error_string(verdict)),
            "name the authority that signed it, or the host that it was made for"};
  }
  return {Code::kServerUnreachable, fmt::format("TLS with {} failed: {}", host, library_reason()),
          "look whether the server speaks TLS there, and whether it wants a client certificate"};
}

}  // namespace wave::http
