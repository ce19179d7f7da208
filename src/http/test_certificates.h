// For tests: an authority, and what it signs and revokes, as PEM files in a folder of their own.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <filesystem>
#include <memory>
#include <string>

namespace wave::http {

class TestAuthority {
 public:
  struct Files {
    std::filesystem::path certificate, key;
  };

  explicit TestAuthority(const std::string& name) : key_(EVP_EC_gen("P-256")) {
    std::string folder = std::filesystem::temp_directory_path() / "wave-certificates-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    certificate_ = make(name, key_.get());
    extend(certificate_.get(), NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate_.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    X509_sign(certificate_.get(), key_.get(), EVP_sha256());
    write_certificate(folder_ / "ca.pem", certificate_.get());
  }
  ~TestAuthority() { std::filesystem::remove_all(folder_); }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  [[nodiscard]] std::filesystem::path file() const { return folder_ / "ca.pem"; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// `names` as OpenSSL writes them: "DNS:localhost,IP:127.0.0.1".
  Files sign(const std::string& name, const char* names = nullptr) {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = make(name, key.get());
    if (names != nullptr) extend(certificate.get(), NID_subject_alt_name, names);
    X509_sign(certificate.get(), key_.get(), EVP_sha256());
    Files files{folder_ / (name + ".pem"), folder_ / (name + ".key")};
    write_certificate(files.certificate, certificate.get());
    std::FILE* out = std::fopen(files.key.c_str(), "w");
    PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(out);
    serials_[name] = serial_;
    return files;
  }

  /// A list that revokes the certificate of that name.
  std::filesystem::path revoke(const std::string& name) {
    const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> list(X509_CRL_new(), &X509_CRL_free);
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(certificate_.get()));
    const Time now(ASN1_TIME_new()), later(ASN1_TIME_new());
    X509_gmtime_adj(now.get(), -60);
    X509_gmtime_adj(later.get(), 3600);
    X509_CRL_set1_lastUpdate(list.get(), now.get());
    X509_CRL_set1_nextUpdate(list.get(), later.get());
    X509_REVOKED* revoked = X509_REVOKED_new();
    const std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> serial(ASN1_INTEGER_new(),
                                                                             &ASN1_INTEGER_free);
    ASN1_INTEGER_set(serial.get(), serials_.at(name));
    X509_REVOKED_set_serialNumber(revoked, serial.get());
    X509_REVOKED_set_revocationDate(revoked, now.get());
    X509_CRL_add0_revoked(list.get(), revoked);
    X509_CRL_sign(list.get(), key_.get(), EVP_sha256());
    auto path = folder_ / "crl.pem";
    std::FILE* out = std::fopen(path.c_str(), "w");
    PEM_write_X509_CRL(out, list.get());
    std::fclose(out);
    return path;
  }

 private:
  struct Delete {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Delete>;
  using Certificate = std::unique_ptr<X509, Delete>;
  using Time = std::unique_ptr<ASN1_TIME, Delete>;

  /// Issued by this authority, for an hour; to be extended and signed.
  Certificate make(const std::string& name, EVP_PKEY* key) {
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME* subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(),
                         certificate_ ? X509_get_subject_name(certificate_.get()) : subject);
    return certificate;
  }
  void extend(X509* certificate, int extension, const char* value) const {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate_.get(), certificate, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, extension, value);
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
  }
  static void write_certificate(const std::filesystem::path& path, X509* certificate) {
    std::FILE* out = std::fopen(path.c_str(), "w");
    PEM_write_X509(out, certificate);
    std::fclose(out);
  }

  std::filesystem::path folder_;
  Key key_;
  Certificate certificate_;
  long serial_ = 0;
  std::map<std::string, long> serials_;
};

}  // namespace wave::http
