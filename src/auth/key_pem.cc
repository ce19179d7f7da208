// Keys in PEM: SubjectPublicKeyInfo, PKCS #8 and the older forms OpenSSL reads, certificates.
#include <fmt/format.h>
#include <openssl/pem.h>

#include "auth/key_parts.h"

namespace wave::auth {
namespace {

// Encrypted keys are refused rather than asked about on a terminal.
int no_password(char*, int, int, void*) {
  return -1;
}

}  // namespace

Result<Key> Key::from_pem(std::string_view pem, std::optional<Algorithm> preferred,
                          std::string id) {
  if (pem.size() > kMaxText) return fail(Code::kLimit, "the key is too large");
  auto parts = std::make_shared<Parts>();
  const OwnedBio bio = reader_of(pem);
  if (pem.find("PRIVATE KEY-----") != std::string_view::npos) {
    parts->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    parts->has_private = true;
  } else if (pem.find("-----BEGIN CERTIFICATE-----") != std::string_view::npos) {
    const OwnedCertificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
    if (certificate) parts->key.reset(X509_get_pubkey(certificate.get()));
  } else {
    parts->key.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr));
  }
  if (!parts->key) {
    return fail(Code::kUsage, "the key in PEM cannot be read: " + openssl_error(),
                "it is a public key, a certificate, or a private key without a password");
  }
  WAVE_TRY(parts->algorithm, Parts::fitting(parts->key.get(), preferred));
  const Family family = facts(parts->algorithm).family;
  if (family == Family::kRsa || family == Family::kRsaPss) WAVE_CHECK(check_rsa(parts->key.get()));
  if (family == Family::kEc) {
    std::string curve(64, '\0');
    size_t length = 0;
    EVP_PKEY_get_group_name(parts->key.get(), curve.data(), curve.size(), &length);
    curve.resize(length);
    if (curve != "prime256v1" && curve != "P-256" && curve != "secp384r1" && curve != "P-384" &&
        curve != "secp521r1" && curve != "P-521") {
      return fail(Code::kUsage, fmt::format("the curve \"{}\" is not known", curve),
                  "P-256, P-384 and P-521 are");
    }
  }
  if (family != Family::kEd) WAVE_CHECK(check_public(parts->key.get()));
  parts->id = std::move(id);
  return Key(std::move(parts));
}

Result<std::string> Key::to_pem(bool secret_too) const {
  if (!parts_->key) return fail(Code::kUsage, "a secret is not written in PEM");
  if (secret_too && !parts_->has_private)
    return fail(Code::kUsage, "only the public half is there");
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  const int done = secret_too ? PEM_write_bio_PrivateKey(bio.get(), parts_->key.get(), nullptr,
                                                         nullptr, 0, nullptr, nullptr)
                              : PEM_write_bio_PUBKEY(bio.get(), parts_->key.get());
  if (done != 1) return fail(Code::kInternal, "cannot write the key: " + openssl_error());
  return text_of(bio.get());
}

}  // namespace wave::auth
