// Where the keys come from that tokens are checked with: a secret, a file, or the address of a
// JWKS.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "auth/key.h"
#include "base/clock.h"

namespace wave::server::access {

/// Reads the keys' text: a file, or what an address answers.
using FetchKeys = std::function<Result<std::string>()>;

/// Keys that may change while the server runs (rotation). Thread: any.
class KeySource {
 public:
  /// Keys that stay.
  explicit KeySource(auth::KeySet keys);
  /// Keys that are fetched again every `refresh_every`, and when a token names one that is not
  /// there, at most every `retry_after`. What cannot be fetched leaves the old ones in force.
  static Result<std::unique_ptr<KeySource>> make(FetchKeys fetch,
                                                 std::optional<auth::Algorithm> preferred,
                                                 const Clock& clock);

  [[nodiscard]] std::shared_ptr<const auth::KeySet> keys() const { return keys_.load(); }
  /// The payload of a token that one of the keys signed; fetches anew for a key that is not known.
  Result<std::string> verify(std::string_view token);
  /// Fetches if it is time to. May block for as long as the fetch does.
  void refresh_if_due();

  static constexpr Millis kRefreshEvery = std::chrono::minutes(10);
  static constexpr Millis kRetryAfter = std::chrono::seconds(30);

 private:
  bool fetch_again(Millis at_least);

  FetchKeys fetch_;  // empty: they stay
  std::optional<auth::Algorithm> preferred_;
  const Clock* clock_ = nullptr;
  std::atomic<std::shared_ptr<const auth::KeySet>> keys_;
  std::mutex mutex_;     // held while fetching
  MonoTime fetched_at_;  // guarded by mutex_
};

}  // namespace wave::server::access
