// Where the keys come from that tokens are checked with: a secret, a file, or the address of a
// JWKS.
#pragma once

#include <atomic>
#include <filesystem>
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

/// Where the last good answer of an address is kept, so that a server also starts while the address
/// cannot be reached. The file names the address: it says nothing about any other.
struct KeyCache {
  std::filesystem::path file;  // empty: nothing is kept
  std::string address;
};

/// Keys that may change while the server runs (rotation). Thread: any.
class KeySource {
 public:
  /// Keys that stay.
  explicit KeySource(auth::KeySet keys);
  /// Keys that are fetched again every `refresh_every`, and when a token names one that is not
  /// there, at most every `retry_after`. What cannot be fetched leaves the old ones in force. At
  /// the start the cached ones take their place, and fetching goes on every `retry_after`.
  static Result<std::unique_ptr<KeySource>> make(FetchKeys fetch,
                                                 std::optional<auth::Algorithm> preferred,
                                                 const Clock& clock, KeyCache cache = {});

  [[nodiscard]] std::shared_ptr<const auth::KeySet> keys() const { return keys_.load(); }
  /// The payload of a token that one of the keys signed; fetches anew for a key that is not known.
  Result<std::string> verify(std::string_view token);
  /// Fetches if it is time to. May block for as long as the fetch does.
  void refresh_if_due();

  static constexpr Millis kRefreshEvery = std::chrono::minutes(10);
  static constexpr Millis kRetryAfter = std::chrono::seconds(30);

 private:
  bool fetch_again(Millis at_least);
  void take(auth::KeySet keys);
  [[nodiscard]] Result<std::string> cached() const;
  void keep(std::string_view text) const;

  FetchKeys fetch_;  // empty: they stay
  std::optional<auth::Algorithm> preferred_;
  const Clock* clock_ = nullptr;
  std::atomic<std::shared_ptr<const auth::KeySet>> keys_;
  KeyCache cache_;
  std::atomic<bool> is_current_ = true;  // whether the last fetch succeeded
  std::mutex mutex_;                     // held while fetching
  MonoTime fetched_at_;                  // guarded by mutex_
};

}  // namespace wave::server::access
