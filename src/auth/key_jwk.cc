// Keys as JSON: RFC 7517, RFC 7518 section 6, RFC 8037.
#include <fmt/format.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "auth/base64url.h"
#include "auth/key_parts.h"
#include "base/printable.h"
#include "base/text.h"

namespace wave::auth {
namespace {

constexpr size_t kMaxMember = 2048;  // of one base64url value: 8192 bits are 1366

std::string excerpt_of(std::string_view text) {
  return excerpt(text, 64);
}

Result<std::string> member(const json::object& jwk, std::string_view name) {
  const std::string_view text = get_string(jwk, name);
  if (text.empty() || text.size() > kMaxMember) {
    return fail(Code::kUsage, fmt::format("the key's \"{}\" is missing or too long", name));
  }
  auto bytes = from_base64url(text);
  if (!bytes) return fail(Code::kUsage, fmt::format("the key's \"{}\" is no base64url", name));
  return *std::move(bytes);
}

OwnedNumber number(std::string_view bytes) {
  return OwnedNumber(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// The key of these parameters; its public half is checked.
Result<OwnedKey> build(const char* type, OSSL_PARAM_BLD* parameters, bool has_private) {
  const OwnedParameters made(OSSL_PARAM_BLD_to_param(parameters));
  const OwnedKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* raw = nullptr;
  if (!made || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &raw, has_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                        made.get()) != 1) {
    return fail(Code::kUsage, "the key is not sound: " + openssl_error());
  }
  OwnedKey key(raw);
  WAVE_CHECK(check_public(key.get()));
  return key;
}

Result<OwnedKey> build_rsa(const json::object& jwk, bool has_private) {
  const OwnedBuild parameters(OSSL_PARAM_BLD_new());
  std::vector<OwnedNumber> numbers;
  const auto add = [&](std::string_view name, const char* parameter) -> Status {
    WAVE_TRY(const std::string bytes, member(jwk, name));
    numbers.push_back(number(bytes));
    OSSL_PARAM_BLD_push_BN(parameters.get(), parameter, numbers.back().get());
    return {};
  };
  WAVE_CHECK(add("n", OSSL_PKEY_PARAM_RSA_N));
  WAVE_CHECK(add("e", OSSL_PKEY_PARAM_RSA_E));
  if (has_private) {
    WAVE_CHECK(add("d", OSSL_PKEY_PARAM_RSA_D));
    if (jwk.contains("p")) {
      WAVE_CHECK(add("p", OSSL_PKEY_PARAM_RSA_FACTOR1));
      WAVE_CHECK(add("q", OSSL_PKEY_PARAM_RSA_FACTOR2));
      WAVE_CHECK(add("dp", OSSL_PKEY_PARAM_RSA_EXPONENT1));
      WAVE_CHECK(add("dq", OSSL_PKEY_PARAM_RSA_EXPONENT2));
      WAVE_CHECK(add("qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1));
    }
  }
  // Before OpenSSL looks at them: its checks of huge numbers take long.
  if (BN_num_bits(numbers[0].get()) > 8192 || BN_num_bits(numbers[1].get()) > 64) {
    return fail(Code::kUsage, "the RSA key is too large", "use one of 2048 to 8192 bits");
  }
  WAVE_TRY(OwnedKey key, build("RSA", parameters.get(), has_private));
  WAVE_CHECK(check_rsa(key.get()));
  return key;
}

Result<OwnedKey> build_ec(const json::object& jwk, bool has_private) {
  const std::string curve(get_string(jwk, "crv"));
  size_t size = 0;
  for (const Algorithm algorithm : {Algorithm::kEs256, Algorithm::kEs384, Algorithm::kEs512}) {
    if (facts(algorithm).curve == curve) size = facts(algorithm).size;
  }
  if (size == 0) {
    return fail(Code::kUsage, fmt::format("the curve \"{}\" is not known", excerpt_of(curve)),
                "P-256, P-384 and P-521 are");
  }
  WAVE_TRY(const std::string x, member(jwk, "x"));
  WAVE_TRY(const std::string y, member(jwk, "y"));
  if (x.size() != size || y.size() != size) {
    return fail(Code::kUsage, "the key's coordinates do not have the length of its curve");
  }
  const std::string point = "\x04" + x + y;
  const OwnedBuild parameters(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(parameters.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.data(),
                                  curve.size());
  OSSL_PARAM_BLD_push_octet_string(parameters.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                   point.size());
  OwnedNumber secret;
  if (has_private) {
    WAVE_TRY(const std::string d, member(jwk, "d"));
    secret = number(d);
    OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret.get());
  }
  return build("EC", parameters.get(), has_private);
}

Result<OwnedKey> build_ed(const json::object& jwk, bool has_private) {
  if (get_string(jwk, "crv") != "Ed25519") {
    return fail(Code::kUsage, "of the Edwards curves only Ed25519 is known");
  }
  WAVE_TRY(const std::string bytes, member(jwk, has_private ? "d" : "x"));
  OwnedKey key(
      has_private
          ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes), bytes.size())
          : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes), bytes.size()));
  if (!key) return fail(Code::kUsage, "the key is not sound: " + openssl_error());
  return key;
}

Status check_purpose(const json::object& jwk) {
  const std::string_view use = get_string(jwk, "use", "sig");
  const auto operations = get_strings(jwk, "key_ops");
  const bool signs =
      !jwk.contains("key_ops") || std::ranges::any_of(operations, [](const std::string& operation) {
        return operation == "verify" || operation == "sign";
      });
  if (use == "sig" && signs) return {};
  return fail(Code::kUsage, "the key is not meant for signatures",
              "its \"use\" or \"key_ops\" say something else");
}

std::string encoded_number(const EVP_PKEY* key, const char* parameter, size_t size = 0) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, parameter, &raw) != 1) return {};
  const OwnedNumber value(raw);
  std::string bytes(std::max(size, static_cast<size_t>(BN_num_bytes(value.get()))), '\0');
  BN_bn2binpad(value.get(), bytes_of(bytes), static_cast<int>(bytes.size()));
  return base64url(bytes);
}

using GetRaw = int (*)(const EVP_PKEY*, unsigned char*, size_t*);
std::string encoded_raw(const EVP_PKEY* key, GetRaw get) {
  std::string bytes(64, '\0');
  size_t length = bytes.size();
  if (get(key, bytes_of(bytes), &length) != 1) return {};
  bytes.resize(length);
  return base64url(bytes);
}

}  // namespace

Result<Algorithm> Key::Parts::fitting(EVP_PKEY* key, std::optional<Algorithm> preferred) {
  std::vector<Algorithm> possible;
  if (EVP_PKEY_is_a(key, "RSA")) {
    possible = {Algorithm::kRs256, Algorithm::kRs384, Algorithm::kRs512,
                Algorithm::kPs256, Algorithm::kPs384, Algorithm::kPs512};
  } else if (EVP_PKEY_is_a(key, "ED25519")) {
    possible = {Algorithm::kEdDsa};
  } else if (EVP_PKEY_is_a(key, "EC")) {
    const int bits = EVP_PKEY_get_bits(key);
    possible = {bits == 256   ? Algorithm::kEs256
                : bits == 384 ? Algorithm::kEs384
                              : Algorithm::kEs512};
  } else {
    return fail(Code::kUsage, "keys of this type are not known", "RSA, EC and Ed25519 are");
  }
  if (!preferred) return possible[0];
  if (std::ranges::find(possible, *preferred) != possible.end()) return *preferred;
  return fail(Code::kUsage, fmt::format("the key is not one for {}", to_string(*preferred)),
              fmt::format("it would do for {}", to_string(possible[0])));
}

Result<Key> Key::from_jwk(const json::object& jwk, std::optional<Algorithm> preferred) {
  WAVE_CHECK(check_purpose(jwk));
  const std::string_view type = get_string(jwk, "kty");
  if (const json::value* named = find(jwk, "alg")) {
    const std::string name = named->is_string() ? std::string(named->as_string()) : std::string();
    preferred = algorithm_from_name(name);
    if (!preferred) {
      return fail(Code::kUsage,
                  fmt::format("the key's algorithm \"{}\" is not known", excerpt_of(name)));
    }
  }
  std::string id(get_string(jwk, "kid"));
  if (id.size() > 256) return fail(Code::kUsage, "the key's id is too long");
  if (type == "oct") {
    WAVE_TRY(const std::string secret, member(jwk, "k"));
    return from_secret(secret, preferred.value_or(Algorithm::kHs256), std::move(id));
  }
  auto parts = std::make_shared<Parts>();
  parts->has_private = jwk.contains("d");
  if (type == "RSA") {
    WAVE_TRY(parts->key, build_rsa(jwk, parts->has_private));
  } else if (type == "EC") {
    WAVE_TRY(parts->key, build_ec(jwk, parts->has_private));
  } else if (type == "OKP") {
    WAVE_TRY(parts->key, build_ed(jwk, parts->has_private));
  } else {
    return fail(Code::kUsage, fmt::format("keys of type \"{}\" are not known", excerpt_of(type)),
                "oct, RSA, EC and OKP are");
  }
  WAVE_TRY(parts->algorithm, Parts::fitting(parts->key.get(), preferred));
  parts->id = std::move(id);
  return Key(std::move(parts));
}

Result<json::object> Key::Parts::to_jwk(bool secret_too) const {
  const AlgorithmFacts& row = facts(algorithm);
  json::object jwk;
  const EVP_PKEY* pair = key.get();
  switch (row.family) {
    case Family::kSecret:
      if (!secret_too) return fail(Code::kUsage, "a secret has no public half");
      jwk = {{"kty", "oct"}, {"k", base64url(secret)}};
      break;
    case Family::kRsa:
    case Family::kRsaPss:
      jwk = {{"kty", "RSA"},
             {"n", encoded_number(pair, OSSL_PKEY_PARAM_RSA_N)},
             {"e", encoded_number(pair, OSSL_PKEY_PARAM_RSA_E)}};
      if (secret_too && has_private) {
        jwk["d"] = encoded_number(pair, OSSL_PKEY_PARAM_RSA_D);
        jwk["p"] = encoded_number(pair, OSSL_PKEY_PARAM_RSA_FACTOR1);
        jwk["q"] = encoded_number(pair, OSSL_PKEY_PARAM_RSA_FACTOR2);
        jwk["dp"] = encoded_number(pair, OSSL_PKEY_PARAM_RSA_EXPONENT1);
        jwk["dq"] = encoded_number(pair, OSSL_PKEY_PARAM_RSA_EXPONENT2);
        jwk["qi"] = encoded_number(pair, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
      }
      break;
    case Family::kEc:
      jwk = {{"kty", "EC"},
             {"crv", row.curve},
             {"x", encoded_number(pair, OSSL_PKEY_PARAM_EC_PUB_X, row.size)},
             {"y", encoded_number(pair, OSSL_PKEY_PARAM_EC_PUB_Y, row.size)}};
      if (secret_too && has_private) {
        jwk["d"] = encoded_number(pair, OSSL_PKEY_PARAM_PRIV_KEY, row.size);
      }
      break;
    case Family::kEd:
      jwk = {{"kty", "OKP"},
             {"crv", row.curve},
             {"x", encoded_raw(pair, EVP_PKEY_get_raw_public_key)}};
      if (secret_too && has_private) jwk["d"] = encoded_raw(pair, EVP_PKEY_get_raw_private_key);
      break;
  }
  for (const auto& [name, value] : jwk) {
    if (value.as_string().empty()) {
      return fail(Code::kInternal, "cannot read the key: " + openssl_error());
    }
  }
  jwk["alg"] = row.name;
  jwk["use"] = "sig";
  if (!id.empty()) jwk["kid"] = id;
  return jwk;
}

Result<json::object> Key::to_jwk(bool secret_too) const {
  return parts_->to_jwk(secret_too);
}

Result<std::string> Key::Parts::thumbprint() const {
  WAVE_TRY(const json::object jwk, to_jwk(is_symmetric(algorithm)));
  json::object required;  // in the order of their names
  for (const std::string_view name : {"crv", "e", "k", "kty", "n", "x", "y"}) {
    if (const json::value* value = find(jwk, name)) required[name] = *value;
  }
  const std::string text = dump_json(required);
  std::string digest(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_Digest(text.data(), text.size(), bytes_of(digest), &length, EVP_sha256(), nullptr);
  digest.resize(length);
  return base64url(digest);
}

namespace {

constexpr size_t kMaxEntries = 64;  // of a JWKS, usable or not: each costs a check

// "the key \"id\"" or "key 3": as an administrator finds it in the set.
std::string entry_name(const json::value& item, size_t place) {
  const std::string_view id =
      item.is_object() ? get_string(item.as_object(), "kid") : std::string_view();
  if (id.empty()) return fmt::format("key {}", place);
  return fmt::format("key \"{}\"", printable(excerpt_of(id)));
}

/// The id of two entries that cannot be told apart, even if one of them is unusable: no one can say
/// which of them a token means. Empty: there is none.
std::string ambiguous_id(const json::array& items) {
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  for (const json::value& item : items) {
    if (!item.is_object()) continue;
    const json::object& entry = item.as_object();
    std::string id(get_string(entry, "kid"));
    if (id.empty()) continue;
    const auto [place, is_new] =
        seen.emplace(id, get_string(entry, "alg"), get_string(entry, "use"));
    if (!is_new) return id;
  }
  return {};
}

Result<Key> key_of_entry(const json::value& item, std::optional<Algorithm> preferred) {
  if (!item.is_object()) return fail(Code::kUsage, "it is not a JSON object");
  return Key::from_jwk(item.as_object(), preferred);
}

}  // namespace

Result<KeySet> KeySet::parse_jwks(const json::object& top, std::optional<Algorithm> preferred) {
  const json::value* list = find(top, "keys");
  if (list == nullptr || !list->is_array()) {
    return fail(Code::kUsage, "\"keys\" of the set must be an array");
  }
  const json::array& items = list->as_array();
  if (items.size() > kMaxEntries) {
    return fail(Code::kUsage,
                fmt::format("the set has {} keys: at most {}", items.size(), kMaxEntries));
  }
  if (const std::string id = ambiguous_id(items); !id.empty()) {
    return fail(Code::kUsage,
                fmt::format("two keys have the id \"{}\"", printable(excerpt_of(id))));
  }
  std::vector<Key> pairs;
  std::vector<Key> secrets;
  std::vector<std::string> passed_over;
  const auto pass_over = [&](size_t at, std::string_view why) {
    passed_over.push_back(
        fmt::format("{}: {}", entry_name(items[at], at + 1), printable(excerpt(why, 200))));
  };
  for (size_t at = 0; at < items.size(); ++at) {
    auto key = key_of_entry(items[at], preferred);
    if (!key) {
      pass_over(at, key.error().message);
      continue;
    }
    (is_symmetric(key->algorithm()) ? secrets : pairs).push_back(*std::move(key));
  }
  if (pairs.empty() && secrets.empty()) {
    return fail(Code::kUsage,
                passed_over.empty()
                    ? std::string("the set has no keys")
                    : fmt::format("none of the set's keys is usable: {}", join(passed_over, "; ")));
  }
  // What signs and what checks must not be for a token's sender to choose.
  if (!pairs.empty() && !secrets.empty()) {
    passed_over.push_back(fmt::format("{} {}: a secret is not used beside key pairs",
                                      secrets.size(), secrets.size() == 1 ? "key" : "keys"));
  }
  WAVE_TRY(KeySet set, make(pairs.empty() ? std::move(secrets) : std::move(pairs)));
  set.passed_over_ = std::move(passed_over);
  return set;
}

Result<KeySet> KeySet::parse(std::string_view text, std::optional<Algorithm> preferred) {
  if (text.size() > Key::kMaxText) return fail(Code::kLimit, "the file of keys is too large");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);  // a byte order mark
  std::vector<Key> keys;
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos || text[first] != '{') {
    constexpr std::string_view kBegin = "-----BEGIN ";
    for (size_t at = text.find(kBegin); at != std::string_view::npos;) {
      const size_t next = text.find(kBegin, at + kBegin.size());
      WAVE_TRY(Key key, Key::from_pem(text.substr(at, next - at), preferred));
      keys.push_back(std::move(key));
      at = next;
      if (keys.size() > kMaxKeys) break;
    }
    if (keys.empty()) {
      return fail(Code::kUsage, "neither keys in PEM nor a JWKS",
                  "begin with -----BEGIN PUBLIC KEY----- or with {\"keys\": [...]}");
    }
    return make(std::move(keys));
  }
  WAVE_TRY(const json::value value, parse_json(text, 16));
  const json::object& top = value.as_object();
  if (top.contains("keys")) return parse_jwks(top, preferred);
  WAVE_TRY(Key key, Key::from_jwk(top, preferred));
  keys.push_back(std::move(key));
  return make(std::move(keys));
}

}  // namespace wave::auth
