#include "auth/key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>
#include <set>

#include "auth/base64url.h"
#include "auth/key_parts.h"
#include "auth/openssl.h"
#include "auth/weak_rsa.h"

namespace wave::auth {
namespace {

constexpr std::array<AlgorithmFacts, 13> kAlgorithms{{
    {Algorithm::kHs256, "HS256", Family::kSecret, "SHA256", 32, ""},
    {Algorithm::kHs384, "HS384", Family::kSecret, "SHA384", 48, ""},
    {Algorithm::kHs512, "HS512", Family::kSecret, "SHA512", 64, ""},
    {Algorithm::kRs256, "RS256", Family::kRsa, "SHA256", 0, ""},
    {Algorithm::kRs384, "RS384", Family::kRsa, "SHA384", 0, ""},
    {Algorithm::kRs512, "RS512", Family::kRsa, "SHA512", 0, ""},
    {Algorithm::kPs256, "PS256", Family::kRsaPss, "SHA256", 0, ""},
    {Algorithm::kPs384, "PS384", Family::kRsaPss, "SHA384", 0, ""},
    {Algorithm::kPs512, "PS512", Family::kRsaPss, "SHA512", 0, ""},
    {Algorithm::kEs256, "ES256", Family::kEc, "SHA256", 32, "P-256"},
    {Algorithm::kEs384, "ES384", Family::kEc, "SHA384", 48, "P-384"},
    {Algorithm::kEs512, "ES512", Family::kEc, "SHA512", 66, "P-521"},
    {Algorithm::kEdDsa, "EdDSA", Family::kEd, "", 32, "Ed25519"},
}};

}  // namespace

const AlgorithmFacts& facts(Algorithm algorithm) {
  return kAlgorithms[static_cast<size_t>(algorithm)];
}

std::string_view to_string(Algorithm algorithm) {
  return facts(algorithm).name;
}

std::optional<Algorithm> algorithm_from_name(std::string_view name) {
  for (const AlgorithmFacts& row : kAlgorithms) {
    if (row.name == name) return row.algorithm;
  }
  return std::nullopt;
}

bool is_symmetric(Algorithm algorithm) {
  return facts(algorithm).family == Family::kSecret;
}

size_t least_secret_bytes(Algorithm algorithm) {
  return is_symmetric(algorithm) ? facts(algorithm).size : 0;
}

Status check_rsa(EVP_PKEY* key) {
  const int bits = EVP_PKEY_get_bits(key);
  if (bits < 2048 || bits > 8192) {
    return fail(Code::kUsage, fmt::format("an RSA key of {} bits is not accepted", bits),
                "use one of 2048 to 8192 bits");
  }
  BIGNUM* modulus_raw = nullptr;
  BIGNUM* exponent_raw = nullptr;
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus_raw);
  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent_raw);
  const OwnedNumber modulus(modulus_raw);
  const OwnedNumber exponent(exponent_raw);
  if (!modulus || !exponent) return fail(Code::kUsage, "the RSA key has no modulus or exponent");
  if (BN_num_bits(exponent.get()) > 64 || !BN_is_odd(exponent.get()) || BN_is_one(exponent.get()) ||
      !BN_is_odd(modulus.get())) {
    return fail(Code::kUsage, "the RSA key's exponent or modulus is not sound");
  }
  if (is_weak_rsa(modulus.get())) {
    return fail(Code::kUsage, "the RSA key was made by a faulty library (CVE-2017-15361)",
                "make a new key: `wave token keygen`");
  }
  return {};
}

Status check_public(EVP_PKEY* key) {
  const OwnedKeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (check && EVP_PKEY_public_check(check.get()) == 1) return {};
  return fail(Code::kUsage, "the key is not sound: " + openssl_error());
}

Result<Key> Key::from_secret(std::string_view secret, Algorithm algorithm, std::string id) {
  if (!is_symmetric(algorithm)) {
    return fail(Code::kUsage, fmt::format("{} is not signed with a secret", to_string(algorithm)),
                "HS256, HS384 and HS512 are");
  }
  const size_t least = least_secret_bytes(algorithm);
  if (secret.size() < least) {
    return fail(Code::kUsage,
                fmt::format("a secret of {} bytes is too short for {}: at least {} are needed",
                            secret.size(), to_string(algorithm), least),
                "make one: `wave token keygen`");
  }
  auto parts = std::make_shared<Parts>();
  parts->algorithm = algorithm;
  parts->id = std::move(id);
  parts->secret = secret;
  return Key(std::move(parts));
}

Algorithm Key::algorithm() const {
  return parts_->algorithm;
}
const std::string& Key::id() const {
  return parts_->id;
}
bool Key::can_sign() const {
  return is_symmetric(parts_->algorithm) || parts_->has_private;
}

Result<Key> Key::generate(Algorithm algorithm) {
  auto parts = std::make_shared<Parts>();
  parts->algorithm = algorithm;
  parts->has_private = true;
  const AlgorithmFacts& row = facts(algorithm);
  switch (row.family) {
    case Family::kSecret:
      parts->secret.resize(row.size);
      if (RAND_bytes(bytes_of(parts->secret), static_cast<int>(row.size)) != 1) {
        return fail(Code::kInternal, "no random bytes: " + openssl_error());
      }
      break;
    case Family::kRsa:
    case Family::kRsaPss:
      parts->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{3072}));
      break;
    case Family::kEc:
      parts->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(row.curve).c_str()));
      break;
    case Family::kEd:
      parts->key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  if (row.family != Family::kSecret && !parts->key) {
    return fail(Code::kInternal, "cannot make a key: " + openssl_error());
  }
  WAVE_TRY(parts->id, parts->thumbprint());
  return Key(std::move(parts));
}

Result<KeySet> KeySet::make(std::vector<Key> keys) {
  if (keys.empty()) return fail(Code::kUsage, "there is no key that tokens could be checked with");
  if (keys.size() > kMaxKeys) {
    return fail(Code::kUsage,
                fmt::format("{} keys are too many: at most {}", keys.size(), kMaxKeys));
  }
  std::set<std::pair<Algorithm, std::string>> ids;
  for (const Key& key : keys) {
    if (is_symmetric(key.algorithm()) != is_symmetric(keys[0].algorithm())) {
      return fail(Code::kUsage, "secrets and key pairs stand in one set of keys",
                  "keep either: which one a token means would be for its sender to choose");
    }
    if (!key.id().empty() && !ids.emplace(key.algorithm(), key.id()).second) {
      return fail(Code::kUsage, fmt::format("two keys have the id \"{}\"", key.id()));
    }
  }
  KeySet set;
  set.keys_ = std::move(keys);
  return set;
}

std::vector<const Key*> KeySet::candidates(Algorithm algorithm, std::string_view id) const {
  std::vector<const Key*> found;
  for (const Key& key : keys_) {
    if (key.algorithm() != algorithm) continue;
    if (!id.empty() && !key.id().empty() && key.id() != id) continue;
    found.push_back(&key);
  }
  return found;
}

}  // namespace wave::auth
