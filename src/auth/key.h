// Keys that sign and check tokens: a shared secret, or one half or both of a key pair.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace wave::auth {

/// How a token is signed (RFC 7518 section 3, RFC 8037).
enum class Algorithm {
  kHs256,
  kHs384,
  kHs512,
  kRs256,
  kRs384,
  kRs512,
  kPs256,
  kPs384,
  kPs512,
  kEs256,
  kEs384,
  kEs512,
  kEdDsa,  // Ed25519
};
std::string_view to_string(Algorithm algorithm);
std::optional<Algorithm> algorithm_from_name(std::string_view name);
/// Signs with a secret that both sides know.
bool is_symmetric(Algorithm algorithm);
/// How many bytes a secret has at least: as many as the hash (RFC 7518 section 3.2).
size_t least_secret_bytes(Algorithm algorithm);

/// A key with the one algorithm that it is for. Immutable; copies share it. Thread: any.
class Key {
 public:
  static constexpr size_t kMaxText = 256 << 10;  // of PEM or JSON that is read

  /// kUsage when the secret is too short, or the algorithm has none.
  static Result<Key> from_secret(std::string_view secret, Algorithm algorithm, std::string id = {});
  /// A JWK (RFC 7517). Its `alg` decides; without one `preferred` if it fits, else what its type
  /// suggests. Refused: another use than signing, RSA below 2048 or above 8192 bits, odd exponents,
  /// weak moduli (CVE-2017-15361), points off the curve, unknown algorithms.
  static Result<Key> from_jwk(const json::object& jwk, std::optional<Algorithm> preferred = {});
  /// A public key, private key or certificate in PEM; checked in the same way.
  static Result<Key> from_pem(std::string_view pem, std::optional<Algorithm> preferred = {},
                              std::string id = {});
  /// A new key; its id is its thumbprint (RFC 7638).
  static Result<Key> generate(Algorithm algorithm);

  [[nodiscard]] Algorithm algorithm() const;
  [[nodiscard]] const std::string& id() const;  // kid; may be empty
  [[nodiscard]] bool can_sign() const;
  /// Compares secrets' signatures in constant time. Never fails otherwise than by false.
  [[nodiscard]] bool verify(std::string_view input, std::string_view signature) const;
  /// kUsage when only the public half is there.
  [[nodiscard]] Result<std::string> sign(std::string_view input) const;
  /// The key as a JWK; with `secret_too` what others must not see.
  [[nodiscard]] Result<json::object> to_jwk(bool secret_too) const;
  /// PKCS #8 or SubjectPublicKeyInfo in PEM; kUsage for secrets.
  [[nodiscard]] Result<std::string> to_pem(bool secret_too) const;

 private:
  struct Parts;
  explicit Key(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}
  std::shared_ptr<const Parts> parts_;
};

/// The keys that tokens are checked with. Immutable. Thread: any.
class KeySet {
 public:
  static constexpr size_t kMaxKeys = 32;

  KeySet() = default;
  /// Refuses no keys, too many, two of one algorithm with one id, and secrets beside key pairs.
  static Result<KeySet> make(std::vector<Key> keys);
  /// A JWKS, one JWK, or PEM with one or more keys. A JWKS belongs to somebody else: entries that
  /// are not usable here are passed over (RFC 7517 section 5) and listed in passed_over(), as are
  /// secrets beside key pairs. kUsage when none is left, with every reason. A bad key that stands
  /// alone, or in PEM, is an error.
  static Result<KeySet> parse(std::string_view text, std::optional<Algorithm> preferred = {});

  [[nodiscard]] const std::vector<Key>& keys() const { return keys_; }
  /// One line per entry of the JWKS that is not used: which one, and why. Text of strangers.
  [[nodiscard]] const std::vector<std::string>& passed_over() const { return passed_over_; }
  /// Those a token with this algorithm and key id may be signed with: the id decides where both
  /// have one.
  [[nodiscard]] std::vector<const Key*> candidates(Algorithm algorithm, std::string_view id) const;

 private:
  static Result<KeySet> parse_jwks(const json::object& top, std::optional<Algorithm> preferred);

  std::vector<Key> keys_;
  std::vector<std::string> passed_over_;
};

}  // namespace wave::auth
