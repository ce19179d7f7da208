#include "server/access/key_source.h"

#include "auth/token.h"
#include "base/log.h"

namespace wave::server::access {

KeySource::KeySource(auth::KeySet keys)
    : keys_(std::make_shared<const auth::KeySet>(std::move(keys))) {}

Result<std::unique_ptr<KeySource>> KeySource::make(FetchKeys fetch,
                                                   std::optional<auth::Algorithm> preferred,
                                                   const Clock& clock) {
  WAVE_TRY(const std::string text, fetch());
  WAVE_TRY(auth::KeySet keys, auth::KeySet::parse(text, preferred));
  auto source = std::make_unique<KeySource>(std::move(keys));
  source->fetch_ = std::move(fetch);
  source->preferred_ = preferred;
  source->clock_ = &clock;
  source->fetched_at_ = clock.mono();
  return source;
}

bool KeySource::fetch_again(Millis at_least) {
  if (!fetch_) return false;
  // Who comes while somebody fetches goes on with what there is.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || clock_->mono() - fetched_at_ < at_least) return false;
  fetched_at_ = clock_->mono();
  const auto text = fetch_();
  auto parsed = text ? auth::KeySet::parse(*text, preferred_) : fail(text.error());
  if (!parsed) {
    log::warning("the keys for tokens cannot be read anew: {}", full_message(parsed.error()));
    return false;
  }
  if (auth::is_symmetric(parsed->keys()[0].algorithm())) {
    log::warning("the keys for tokens were replaced by secrets: those before stay in force");
    return false;
  }
  keys_.store(std::make_shared<const auth::KeySet>(*std::move(parsed)));
  return true;
}

Result<std::string> KeySource::verify(std::string_view token) {
  auto payload = auth::verify_token(token, *keys());
  const bool unknown =
      !payload && payload.error().reason == to_string(auth::TokenFault::kUnknownKey);
  if (!unknown || !fetch_again(kRetryAfter)) return payload;
  return auth::verify_token(token, *keys());
}

void KeySource::refresh_if_due() {
  (void)fetch_again(kRefreshEvery);
}

}  // namespace wave::server::access
