// Tokens and keys from anywhere end in a Result; what none of our keys signed is never accepted.
#include "auth/claims.h"
#include "auth/token.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wave;
  static const auth::KeySet keys =
      *auth::KeySet::make({*auth::Key::generate(auth::Algorithm::kHs256)});
  if (size == 0) return 0;
  const std::string_view text = fuzz::text(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      fuzz::require(!auth::verify_token(text, keys));
      break;
    case 1: {
      const auto set = auth::KeySet::parse(text);
      if (!set) break;
      fuzz::require(!set->keys().empty() && set->keys().size() <= auth::KeySet::kMaxKeys);
      for (const auth::Key& key : set->keys()) {
        fuzz::require(auth::is_symmetric(key.algorithm()) || !key.verify("x", text));
        const auto jwk = key.to_jwk(true);
        fuzz::require(jwk.has_value());
        fuzz::require(auth::Key::from_jwk(*jwk).has_value());
      }
      break;
    }
    case 2: {
      const auto identity =
          auth::identity_from_claims(text, {}, WallTime(Millis(1'700'000'000'000)));
      if (identity) fuzz::require(identity->role != auth::Role::kNobody && identity->expires_at);
      break;
    }
    default: {
      const auto parts = auth::take_apart(text);
      if (parts) fuzz::require(text.starts_with(parts->signing_input));
      break;
    }
  }
  return 0;
}
