// What a Key is made of. Included by the .cc files of keys only.
#pragma once

#include <string>
#include <string_view>

#include "auth/key.h"
#include "auth/openssl.h"

namespace wave::auth {

enum class Family { kSecret, kRsa, kRsaPss, kEc, kEd };

struct AlgorithmFacts {
  Algorithm algorithm;
  std::string_view name;
  Family family;
  const char* digest;
  size_t size;  // of a secret at least; of one coordinate
  std::string_view curve;
};
const AlgorithmFacts& facts(Algorithm algorithm);

struct Key::Parts {
  Algorithm algorithm = Algorithm::kHs256;
  std::string id;
  std::string secret;  // symmetric
  OwnedKey key;        // else
  bool has_private = false;

  /// RFC 7638 over SHA-256.
  [[nodiscard]] Result<std::string> thumbprint() const;
  [[nodiscard]] Result<json::object> to_jwk(bool secret_too) const;
  /// Which algorithm a key of this kind is for: `preferred` if it fits.
  [[nodiscard]] static Result<Algorithm> fitting(EVP_PKEY* key, std::optional<Algorithm> preferred);
};

/// Size, exponent and modulus of an RSA key.
Status check_rsa(EVP_PKEY* key);
/// Whether the public half is one: a modulus that is no prime and has no small factor, a point of
/// the curve. For RSA check_rsa comes first: of huge numbers this takes long.
Status check_public(EVP_PKEY* key);

}  // namespace wave::auth
