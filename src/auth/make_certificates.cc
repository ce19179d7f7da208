#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>

#include "auth/certificate.h"
#include "auth/openssl.h"
#include "base/file.h"
#include "base/hash.h"

namespace wave::auth {
namespace {

using OwnedExtension = Owned<X509_EXTENSION, X509_EXTENSION_free>;

struct Issued {
  OwnedCertificate certificate;
  OwnedKey key;
};

struct Plan {
  std::string common_name;
  std::vector<std::pair<int, std::string>> extensions;
  WallTime now;
  int days = 1;
};

Status failed(std::string_view doing) {
  return fail(Code::kInternal, fmt::format("cannot {}: {}", doing, openssl_error()));
}

Status add_extensions(X509* certificate, X509* issuer, const Plan& plan) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  for (const auto& [id, value] : plan.extensions) {
    const OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
    if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) {
      return failed("write the certificate's extensions");
    }
  }
  return {};
}

// A key and a certificate for it, signed by `issuer` or, without one, by itself.
Result<Issued> issue(const Plan& plan, const Issued* issuer) {
  Issued made{OwnedCertificate(X509_new()),
              OwnedKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"))};
  X509* certificate = made.certificate.get();
  std::array<unsigned char, 16> serial{};
  if (!certificate || !made.key || RAND_bytes(serial.data(), serial.size()) != 1) {
    return fail(failed("make a key").error());
  }
  serial[0] &= 0x7f;  // positive
  const OwnedNumber number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
  X509_set_version(certificate, X509_VERSION_3);
  const auto start = std::chrono::duration_cast<std::chrono::seconds>(plan.now.time_since_epoch());
  // Clocks differ: it is valid from an hour ago.
  ASN1_TIME_set(X509_getm_notBefore(certificate), start.count() - 3600);
  ASN1_TIME_adj(X509_getm_notAfter(certificate), start.count(), plan.days, 0);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes_of(plan.common_name),
                             static_cast<int>(plan.common_name.size()), -1, 0);
  X509* signer = issuer ? issuer->certificate.get() : certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(signer));
  WAVE_CHECK(add_extensions(certificate, signer, plan));
  if (X509_sign(certificate, issuer ? issuer->key.get() : made.key.get(), EVP_sha256()) <= 0) {
    return fail(failed("sign the certificate").error());
  }
  return made;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

Status check_host(const std::string& host) {
  const bool good = !host.empty() && host.size() <= 253 &&
                    host.find_first_not_of(
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789.-:*") == std::string::npos;
  if (good) return {};
  return fail(Code::kUsage, fmt::format("\"{}\" is neither a host name nor an address", host));
}

Status check(const CertificateRequest& request) {
  if (request.hosts.empty()) return fail(Code::kUsage, "the server needs a host name");
  for (const std::string& host : request.hosts) WAVE_CHECK(check_host(host));
  if (request.client.empty() || request.client.size() > 64) {
    return fail(Code::kUsage, "the client's name has 1 to 64 bytes");
  }
  if (request.days < 1 || request.days > 3650) {
    return fail(Code::kUsage, "certificates are made for 1 to 3650 days");
  }
  return {};
}

std::string subject_names(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) {
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", is_address(host) ? "IP" : "DNS", host);
  }
  return text;
}

Status write(const Issued& issued, const fs::path& certificate, const fs::path& key) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), issued.key.get(), nullptr, nullptr, 0, nullptr,
                               nullptr) != 1) {
    return failed("write the key");
  }
  WAVE_CHECK(write_file_durable(key, text_of(bio.get()), 0600));
  const OwnedBio text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(text.get(), issued.certificate.get()) != 1) {
    return failed("write the certificate");
  }
  return write_file_durable(certificate, text_of(text.get()), 0644);
}

std::string fingerprint(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509(certificate, &der);
  if (length <= 0) return {};
  std::string hash = sha256_hex({reinterpret_cast<char*>(der), static_cast<size_t>(length)});
  OPENSSL_free(der);
  return hash;
}

}  // namespace

Result<MadeCertificates> make_certificates(const CertificateRequest& request, WallTime now) {
  WAVE_CHECK(check(request));
  const fs::path& folder = request.folder;
  MadeCertificates made{.ca = folder / "ca.pem",
                        .ca_key = folder / "ca-key.pem",
                        .server = folder / "server.pem",
                        .server_key = folder / "server-key.pem",
                        .client = folder / "client.pem",
                        .client_key = folder / "client-key.pem",
                        .client_fingerprint = {}};
  std::error_code ignored;
  for (const fs::path& path :
       {made.ca, made.ca_key, made.server, made.server_key, made.client, made.client_key}) {
    if (!request.overwrite && fs::exists(path, ignored)) {
      return fail(Code::kConflict, path.native() + " is there already",
                  "name another folder, or replace it with --force");
    }
  }
  WAVE_CHECK(make_directories(folder, 0700));
  WAVE_TRY(const Issued ca,
           issue({.common_name = "wave test authority",
                  .extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                                 {NID_key_usage, "critical,keyCertSign,cRLSign"},
                                 {NID_subject_key_identifier, "hash"}},
                  .now = now,
                  .days = request.days},
                 nullptr));
  const auto leaf = [&](std::string name, std::string usage) {
    return Plan{.common_name = std::move(name),
                .extensions = {{NID_basic_constraints, "critical,CA:FALSE"},
                               {NID_key_usage, "critical,digitalSignature"},
                               {NID_ext_key_usage, std::move(usage)},
                               {NID_subject_key_identifier, "hash"},
                               {NID_authority_key_identifier, "keyid"}},
                .now = now,
                .days = request.days};
  };
  Plan server_plan = leaf(request.hosts[0].substr(0, 64), "serverAuth");
  server_plan.extensions.emplace_back(NID_subject_alt_name, subject_names(request.hosts));
  WAVE_TRY(const Issued server, issue(server_plan, &ca));
  WAVE_TRY(const Issued client, issue(leaf(request.client, "clientAuth"), &ca));
  WAVE_CHECK(write(ca, made.ca, made.ca_key));
  WAVE_CHECK(write(server, made.server, made.server_key));
  WAVE_CHECK(write(client, made.client, made.client_key));
  made.client_fingerprint = fingerprint(client.certificate.get());
  return made;
}

}  // namespace wave::auth
