#include "auth/certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "auth/openssl.h"
#include "base/hash.h"

namespace wave::auth {
namespace {

using OwnedNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
constexpr size_t kMaxCertificateName = 256;

Error bad(std::string reason, std::string message) {
  Error error(Code::kUnauthorized, std::move(message), "use a certificate with a name in it");
  error.reason = std::move(reason);
  return error;
}

std::string asn1_text(const ASN1_STRING* value) {
  unsigned char* utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, value);
  if (length < 0) return {};
  std::string text(reinterpret_cast<char*>(utf8), static_cast<size_t>(length));
  OPENSSL_free(utf8);
  return text;
}

// The first name of the type, in the order of the certificate.
std::string alternative_name(const GENERAL_NAMES* names, int type) {
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == type) return asn1_text(name->d.ia5);  // e-mail, DNS name and URI alike
  }
  return {};
}

std::string name_of(X509* certificate) {
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (const int type : {GEN_EMAIL, GEN_DNS, GEN_URI}) {
    if (std::string name = alternative_name(names.get(), type); !name.empty()) return name;
  }
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return asn1_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

// The epoch when it cannot be read: then the certificate has ended, and is as old as can be.
WallTime time_of(const ASN1_TIME* time) {
  tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return WallTime(std::chrono::seconds(timegm(&parts)));
}

bool is_plain_name(std::string_view text) {
  return text.size() <= kMaxCertificateName && std::ranges::none_of(text, [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

}  // namespace

Result<CertificateIdentity> certificate_identity(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const OwnedCertificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) {
    (void)openssl_error();
    return fail(bad("certificate_malformed", "the certificate cannot be read"));
  }
  CertificateIdentity identity;
  identity.name = name_of(certificate.get());
  if (identity.name.empty() || !is_plain_name(identity.name)) {
    return fail(bad("certificate_nameless", "the certificate names nobody"));
  }
  identity.fingerprint = sha256_hex(der);
  identity.not_before = time_of(X509_get0_notBefore(certificate.get()));
  identity.not_after = time_of(X509_get0_notAfter(certificate.get()));
  return identity;
}

}  // namespace wave::auth
