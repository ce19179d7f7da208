#include "auth/token.h"

#include <gtest/gtest.h>

#include "auth/base64url.h"
#include "auth/claims.h"

namespace wave::auth {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSecret =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const WallTime kNow = *parse_time("2026-03-01T12:00:00.000Z");
int64_t seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Key secret_key(Algorithm algorithm = Algorithm::kHs256) {
  return *Key::from_secret(kSecret, algorithm);
}

json::object claims() {
  return {{"sub", "ci-bot"}, {"role", "operator"}, {"exp", seconds(kNow + 1h)}, {"jti", "t-1"}};
}

std::string reason_of(const json::object& said, const ClaimRules& rules = {}) {
  const auto identity = identity_from_claims(dump_json(said), rules, kNow);
  return identity ? "" : identity.error().reason;
}

TEST(Base64Url, HasOneSpelling) {
  EXPECT_EQ(base64url("\xff\xfe\xfd!"), "__79IQ");
  for (const std::string_view bytes : {"", "f", "fo", "foo", "foob"}) {
    EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
  }
  for (const std::string_view bad : {"A", "AB", "AA=", "AA==", "A+A", "A/AA", "A AA", "AA\n"}) {
    EXPECT_FALSE(from_base64url(bad)) << bad;
  }
}

TEST(Token, EveryAlgorithmSignsWhatItVerifies) {
  for (const Algorithm algorithm : {Algorithm::kHs256, Algorithm::kHs384, Algorithm::kHs512,
                                    Algorithm::kRs256, Algorithm::kPs256, Algorithm::kEs256,
                                    Algorithm::kEs384, Algorithm::kEs512, Algorithm::kEdDsa}) {
    const auto key = Key::generate(algorithm);
    ASSERT_TRUE(key) << full_message(key.error());
    const auto token = sign_token(claims(), *key);
    ASSERT_TRUE(token) << full_message(token.error());
    const std::string shown =
        dump_json(*key->to_jwk(is_symmetric(algorithm)));  // what a server is given
    const auto keys = KeySet::parse(shown);
    ASSERT_TRUE(keys) << shown << full_message(keys.error());
    const auto payload = verify_token(*token, *keys);
    ASSERT_TRUE(payload) << to_string(algorithm) << full_message(payload.error());
    EXPECT_EQ(*payload, dump_json(claims()));
    // One bit of the payload changed.
    std::string forged = *token;
    char& digit = forged[forged.find('.') + 3];
    digit = digit == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_token(forged, *keys));
    if (!is_symmetric(algorithm)) {
      EXPECT_FALSE(keys->keys()[0].can_sign());
      const auto pem = KeySet::parse(*key->to_pem(false), algorithm);
      ASSERT_TRUE(pem) << full_message(pem.error());
      EXPECT_TRUE(verify_token(*token, *pem));
      const auto pair = Key::from_pem(*key->to_pem(true), algorithm);
      ASSERT_TRUE(pair && pair->can_sign());
    }
  }
}

TEST(Token, TheKeyDecidesTheAlgorithm) {
  const KeySet keys = *KeySet::make({secret_key(Algorithm::kHs256)});
  const std::string other = *sign_token(claims(), secret_key(Algorithm::kHs512));
  EXPECT_EQ(verify_token(other, keys).error().reason, "token_algorithm");
  const std::string none = base64url(R"({"alg":"none"})") + "." + base64url("{}") + ".";
  EXPECT_EQ(verify_token(none, keys).error().reason, "token_algorithm");
}

TEST(Token, APublicKeyIsNoSecret) {
  const Key pair = *Key::generate(Algorithm::kRs256);
  const std::string pem = *pair.to_pem(false);
  const KeySet keys = *KeySet::parse(pem);
  const std::string forged = *sign_token(claims(), *Key::from_secret(pem, Algorithm::kHs256));
  EXPECT_EQ(verify_token(forged, keys).error().reason, "token_algorithm");
}

// One digit of a good key changed: the modulus has a small factor.
constexpr std::string_view kUnsound =
    "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnuSr2Z5HuzDWkCQAD440\n"
    "s6Cw+6J2SRZPt2IlkgA3NvuyFkuzI6FKuonH3uQ+RLO6IjN31mRu6lQBeO7PSMXR\n"
    "+2HpJi1GfCQLqM5N+f9gIoYOMrt5IEpEo4c1d7mdduzfb1zM1h2cv8iy242bJm9J\n"
    "OgsX1qtt4fm2ByNsdfPDSAhhZZ2E1n/+Qrq+cFN9tWzyXX2z9SC9Rm4jiveDl1Aj\n"
    "lHdWJ05thKsRgMiNuY6XQ1E9bRTXAhv2RLeEZA65gUYmEurFXLJ8iGgAoCDL9TE8\n"
    "GqjuWt/Xw34aA9BtrZjTIuvlB8IB03LF10kMiIHKFncZIe5zoWeXGmj1wVNCDRL5\n"
    "CwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

TEST(Token, KeysInPemAreCheckedLikeThoseInJson) {
  const auto key = Key::from_pem(kUnsound);
  ASSERT_FALSE(key);
  EXPECT_TRUE(key.error().message.contains("not sound")) << key.error().message;
}

TEST(Token, CriticalExtensionsAreRefused) {
  const std::string head =
      base64url(R"({"alg":"HS256","crit":["exp"],"exp":1})") + "." + base64url(dump_json(claims()));
  const std::string token = head + "." + base64url(*secret_key().sign(head));
  EXPECT_EQ(verify_token(token, *KeySet::make({secret_key()})).error().reason, "token_critical");
}

TEST(Token, SizesAreBounded) {
  const KeySet keys = *KeySet::make({secret_key()});
  EXPECT_EQ(verify_token(std::string(kMaxToken + 1, 'A'), keys).error().reason, "token_too_large");
  EXPECT_EQ(verify_token("a.b", keys).error().reason, "token_malformed");
  EXPECT_EQ(verify_token("", keys).error().reason, "token_malformed");
}

TEST(Key, ShortSecretsAreRefused) {
  EXPECT_FALSE(Key::from_secret(std::string(31, 'x'), Algorithm::kHs256));
  EXPECT_TRUE(Key::from_secret(std::string(32, 'x'), Algorithm::kHs256));
  EXPECT_FALSE(Key::from_secret(std::string(63, 'x'), Algorithm::kHs512));
}

TEST(Key, AnIdChoosesWithinASet) {
  const Key first = *Key::generate(Algorithm::kEs256);
  const Key second = *Key::generate(Algorithm::kEs256);
  const KeySet keys = *KeySet::make({first, second});
  EXPECT_TRUE(verify_token(*sign_token(claims(), second), keys));
  const Key stranger = *Key::generate(Algorithm::kEs256);
  EXPECT_EQ(verify_token(*sign_token(claims(), stranger), keys).error().reason,
            "token_unknown_key");
  EXPECT_FALSE(KeySet::make({first, first}));
  EXPECT_FALSE(KeySet::make({first, secret_key()}));
}

TEST(Key, AJwksIsReadPastWhatIsNotUnderstood) {
  const Key good = *Key::generate(Algorithm::kRs256);
  const Key pair = *Key::generate(Algorithm::kEs256);
  const json::object other_curve = *pair.to_jwk(false);
  json::object without_alg = other_curve;
  without_alg.erase("alg");
  json::object for_encryption = *Key::generate(Algorithm::kRs256)->to_jwk(false);
  for_encryption["alg"] = "RSA-OAEP";
  for_encryption.erase("use");
  const std::vector<json::value> foreign{
      json::object{{"kty", "AKP"}, {"alg", "ML-DSA-65"}, {"kid", "q"}, {"pub", "AAAA"}},
      json::object{{"kty", "EC"}, {"crv", "secp256k1"}, {"x", "AAAA"}, {"y", "AAAA"}},
      json::object{{"kty", "OKP"}, {"crv", "X25519"}, {"x", "AAAA"}},
      json::object{{"kty", "OKP"}, {"crv", "Ed448"}, {"x", "AAAA"}},
      json::object{{"kty", "RSA"}, {"n", "wQAB"}, {"e", "AQAB"}},
      *secret_key().to_jwk(true),
      json::object{{"kty", nullptr}},
      json::object{{"kty", 7}, {"kid", json::array{}}, {"use", false}},
      json::object{},
      nullptr,
      "text",
      without_alg,
      for_encryption};
  const std::string token = *sign_token(claims(), good);
  for (const json::value& one : foreign) {
    for (const bool first : {true, false}) {
      json::array keys{one};
      keys.insert(first ? keys.end() : keys.begin(), *good.to_jwk(false));
      const auto set = KeySet::parse(dump_json(json::object{{"keys", keys}}), Algorithm::kRs256);
      ASSERT_TRUE(set) << dump_json(one) << full_message(set.error());
      EXPECT_TRUE(verify_token(token, *set)) << dump_json(one);
      EXPECT_EQ(set->keys().size(), 1u) << dump_json(one);
      EXPECT_EQ(set->passed_over().size(), 1u) << dump_json(one);
    }
  }
  const auto none = KeySet::parse(R"({"keys": [{"kty": "AKP", "kid": "a\u001b[31m"}, null]})");
  ASSERT_FALSE(none);
  EXPECT_TRUE(none.error().message.contains("key 2: ")) << none.error().message;
  EXPECT_FALSE(none.error().message.contains('\x1b'));
  EXPECT_FALSE(KeySet::parse(R"({"keys": []})"));
  EXPECT_FALSE(KeySet::parse(R"({"keys": {}})"));
  EXPECT_TRUE(KeySet::parse("\xef\xbb\xbf" +
                            dump_json(json::object{{"keys", json::array{*good.to_jwk(false)}}})));
  EXPECT_TRUE(KeySet::parse("\xef\xbb\xbf" + *good.to_pem(false)));
}

// An id may be used again for another type of key (RFC 7517 section 4.5).
TEST(Key, OneIdOfTwoAlgorithmsIsTwoKeys) {
  json::object first = *Key::generate(Algorithm::kEs256)->to_jwk(true);
  json::object second = *Key::generate(Algorithm::kEdDsa)->to_jwk(true);
  first["kid"] = second["kid"] = "2026";
  const auto set = KeySet::parse(dump_json(json::object{{"keys", json::array{first, second}}}));
  ASSERT_TRUE(set) << full_message(set.error());
  for (const Key& key : set->keys()) EXPECT_TRUE(verify_token(*sign_token(claims(), key), *set));
  // Of one algorithm it would be open which key a token means.
  json::object third = *Key::generate(Algorithm::kEs256)->to_jwk(true);
  third["kid"] = "2026";
  EXPECT_FALSE(KeySet::parse(dump_json(json::object{{"keys", json::array{first, third}}})));
}

TEST(Claims, MakeAnIdentity) {
  const auto identity = identity_from_claims(dump_json(claims()), {}, kNow);
  ASSERT_TRUE(identity) << full_message(identity.error());
  EXPECT_EQ(identity->actor(), "jwt:ci-bot");
  EXPECT_EQ(identity->role, Role::kOperator);
  EXPECT_EQ(identity->token_id, "t-1");
  EXPECT_EQ(identity->expires_at, kNow + 1h);
}

TEST(Claims, TimesAreChecked) {
  json::object said = claims();
  said.erase("exp");
  EXPECT_EQ(reason_of(said), "token_no_expiry");
  said["exp"] = seconds(kNow);
  EXPECT_EQ(reason_of(said), "token_expired");
  EXPECT_EQ(reason_of(said, {.leeway = 5s}), "");
  said["exp"] = "tomorrow";
  EXPECT_EQ(reason_of(said), "token_malformed");
  said["exp"] = -1;
  EXPECT_EQ(reason_of(said), "token_malformed");
  said["exp"] = 1e300;
  EXPECT_EQ(reason_of(said), "");
  said["nbf"] = seconds(kNow + 10s);
  EXPECT_EQ(reason_of(said), "token_not_yet_valid");
  EXPECT_EQ(reason_of(said, {.leeway = 10s}), "");
  said.erase("nbf");
  said["iat"] = seconds(kNow + 10s);
  EXPECT_EQ(reason_of(said), "token_not_yet_valid");
}

TEST(Claims, IssuerAndAudienceAreCheckedWhenConfigured) {
  json::object said = claims();
  EXPECT_EQ(reason_of(said, {.issuer = "https://id.example"}), "token_issuer");
  said["iss"] = "https://id.example";
  EXPECT_EQ(reason_of(said, {.issuer = "https://id.example"}), "");
  EXPECT_EQ(reason_of(said, {.audience = "wave"}), "token_audience");
  said["aud"] = json::array{"other", "wave"};
  EXPECT_EQ(reason_of(said, {.audience = "wave"}), "");
  said["aud"] = "wave2";
  EXPECT_EQ(reason_of(said, {.audience = "wave"}), "token_audience");
}

TEST(Claims, RolesComeFromTheClaimOnly) {
  json::object said = claims();
  said["role"] = "root";
  EXPECT_EQ(reason_of(said), "token_role");
  said.erase("role");
  EXPECT_EQ(reason_of(said), "token_role");
  said["realm"] = json::object{{"roles", json::array{"dev", "wave-ops", 7}}};
  const ClaimRules rules{.role_claim = "realm.roles", .role_mapping = {{"wave-ops", Role::kAdmin}}};
  EXPECT_EQ(identity_from_claims(dump_json(said), rules, kNow)->role, Role::kAdmin);
  // A role's own name can be mapped away.
  said["role"] = "admin";
  const ClaimRules lower{.role_mapping = {{"admin", Role::kViewer}}};
  EXPECT_EQ(identity_from_claims(dump_json(said), lower, kNow)->role, Role::kViewer);
}

TEST(Claims, ASubjectIsNeeded) {
  json::object said = claims();
  said["sub"] = "";
  EXPECT_EQ(reason_of(said), "token_no_subject");
  said["sub"] = "a\nb";
  EXPECT_EQ(reason_of(said), "token_no_subject");
  said["sub"] = std::string(257, 'x');
  EXPECT_EQ(reason_of(said), "token_no_subject");
  EXPECT_EQ(identity_from_claims("[]", {}, kNow).error().reason, "token_malformed");
  EXPECT_EQ(identity_from_claims("{", {}, kNow).error().reason, "token_malformed");
}

}  // namespace
}  // namespace wave::auth
