// Signing and checking (RFC 7518 section 3, RFC 8037 section 3.1).
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include "auth/key_parts.h"

namespace wave::auth {
namespace {

using OwnedEcdsa = Owned<ECDSA_SIG, ECDSA_SIG_free>;

std::string mac(const AlgorithmFacts& row, std::string_view secret, std::string_view input) {
  std::string result(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  if (!HMAC(EVP_get_digestbyname(row.digest), secret.data(), static_cast<int>(secret.size()),
            bytes_of(input), input.size(), bytes_of(result), &length)) {
    length = 0;
  }
  result.resize(length);
  return result;
}

bool use_padding(EVP_PKEY_CTX* context, Family family) {
  if (family != Family::kRsaPss) return true;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

const EVP_MD* digest_of(const AlgorithmFacts& row) {
  return row.family == Family::kEd ? nullptr : EVP_get_digestbyname(row.digest);
}

// r and s side by side become the DER that OpenSSL checks; nothing if they are no numbers.
std::string der_of(std::string_view signature, size_t size) {
  if (signature.size() != size * 2) return {};
  const OwnedEcdsa pair(ECDSA_SIG_new());
  const auto number = [&](size_t at) {
    return BN_bin2bn(bytes_of(signature) + at, static_cast<int>(size), nullptr);
  };
  if (!pair || ECDSA_SIG_set0(pair.get(), number(0), number(size)) != 1) return {};
  unsigned char* der = nullptr;
  const int length = i2d_ECDSA_SIG(pair.get(), &der);
  if (length <= 0) return {};
  std::string result(reinterpret_cast<char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return result;
}

std::string pair_of(std::string_view der, size_t size) {
  const unsigned char* at = bytes_of(der);
  const OwnedEcdsa pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!pair) return {};
  std::string result(size * 2, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes_of(result), static_cast<int>(size));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes_of(result) + size, static_cast<int>(size));
  return result;
}

}  // namespace

bool Key::verify(std::string_view input, std::string_view signature) const {
  const AlgorithmFacts& row = facts(parts_->algorithm);
  if (row.family == Family::kSecret) {
    const std::string expected = mac(row, parts_->secret, input);
    return !expected.empty() && expected.size() == signature.size() &&
           CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
  }
  std::string der;
  if (row.family == Family::kEc) {
    der = der_of(signature, row.size);
    if (der.empty()) return false;
    signature = der;
  }
  const OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  const bool good = context &&
                    EVP_DigestVerifyInit(context.get(), &key_context, digest_of(row), nullptr,
                                         parts_->key.get()) == 1 &&
                    use_padding(key_context, row.family) &&
                    EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(),
                                     bytes_of(input), input.size()) == 1;
  if (!good) ERR_clear_error();
  return good;
}

Result<std::string> Key::sign(std::string_view input) const {
  const AlgorithmFacts& row = facts(parts_->algorithm);
  if (row.family == Family::kSecret) return mac(row, parts_->secret, input);
  if (!parts_->has_private) {
    return fail(Code::kUsage,
                "only the public half of the key is there: it checks, it cannot sign");
  }
  const OwnedDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  size_t length = 0;
  std::string signature;
  const bool ready =
      context &&
      EVP_DigestSignInit(context.get(), &key_context, digest_of(row), nullptr, parts_->key.get()) ==
          1 &&
      use_padding(key_context, row.family) &&
      EVP_DigestSign(context.get(), nullptr, &length, bytes_of(input), input.size()) == 1;
  if (ready) signature.resize(length);
  if (!ready || EVP_DigestSign(context.get(), bytes_of(signature), &length, bytes_of(input),
                               input.size()) != 1) {
    return fail(Code::kInternal, "cannot sign: " + openssl_error());
  }
  signature.resize(length);
  return row.family == Family::kEc ? pair_of(signature, row.size) : signature;
}

}  // namespace wave::auth
