#include "server/access/key_source.h"

#include "auth/token.h"
#include "base/file.h"
#include "base/log.h"

namespace wave::server::access {
namespace {

Result<auth::KeySet> public_keys(const Result<std::string>& text,
                                 std::optional<auth::Algorithm> preferred) {
  if (!text) return fail(text.error());
  WAVE_TRY(auth::KeySet keys, auth::KeySet::parse(*text, preferred));
  if (!auth::is_symmetric(keys.keys()[0].algorithm())) return keys;
  return fail(Code::kUsage, "the set holds secrets: whoever reads it could sign",
              "name the set of the public keys");
}

}  // namespace

KeySource::KeySource(auth::KeySet keys)
    : keys_(std::make_shared<const auth::KeySet>(std::move(keys))) {}

Result<std::unique_ptr<KeySource>> KeySource::make(FetchKeys fetch,
                                                   std::optional<auth::Algorithm> preferred,
                                                   const Clock& clock, KeyCache cache) {
  auto source = std::make_unique<KeySource>(auth::KeySet());
  source->fetch_ = std::move(fetch);
  source->preferred_ = preferred;
  source->clock_ = &clock;
  source->cache_ = std::move(cache);
  source->fetched_at_ = clock.mono();
  const auto text = source->fetch_();
  auto keys = public_keys(text, preferred);
  if (keys) {
    source->keep(*text);
  } else {
    auto older = public_keys(source->cached(), preferred);
    if (!older) return fail(std::move(keys).error());
    log::warning("the keys for tokens cannot be read: {}; those of the last time are used",
                 full_message(keys.error()));
    source->is_current_ = false;
    keys = std::move(older);
  }
  source->take(*std::move(keys));
  return source;
}

// Says which keys are not used, once for every set that says something else.
void KeySource::take(auth::KeySet keys) {
  const auto before = keys_.load();
  if (before->passed_over() != keys.passed_over()) {
    for (const std::string& line : keys.passed_over()) {
      log::warning("a key for tokens is passed over: {}", line);
    }
  }
  keys_.store(std::make_shared<const auth::KeySet>(std::move(keys)));
}

// The address, a line break, and what it answered.
Result<std::string> KeySource::cached() const {
  if (cache_.file.empty()) return fail(Code::kNotFound, "no keys are kept");
  WAVE_TRY(std::string text,
           read_file(cache_.file, auth::Key::kMaxText + cache_.address.size() + 1));
  if (!text.starts_with(cache_.address + "\n")) {
    return fail(Code::kNotFound, "the kept keys are those of another address");
  }
  return text.substr(cache_.address.size() + 1);
}

void KeySource::keep(std::string_view text) const {
  if (cache_.file.empty()) return;
  std::string whole = cache_.address + "\n";
  whole += text;
  if (const Status kept = write_file_durable(cache_.file, whole, 0600); !kept) {
    log::warning("the keys for tokens cannot be kept for the next start: {}",
                 full_message(kept.error()));
  }
}

bool KeySource::fetch_again(Millis at_least) {
  if (!fetch_) return false;
  // Who comes while somebody fetches goes on with what there is.
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock || clock_->mono() - fetched_at_ < at_least) return false;
  fetched_at_ = clock_->mono();
  const auto text = fetch_();
  auto parsed = public_keys(text, preferred_);
  if (!parsed) {
    log::warning("the keys for tokens cannot be read anew: {}", full_message(parsed.error()));
    is_current_ = false;
    return false;
  }
  take(*std::move(parsed));
  keep(*text);
  is_current_ = true;
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
  (void)fetch_again(is_current_ ? kRefreshEvery : kRetryAfter);
}

}  // namespace wave::server::access
