#include "server/access/limiter.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace wave::server::access {
namespace {

constexpr auto kForgottenAfter = std::chrono::hours(1);
constexpr Millis kLongest = std::chrono::minutes(5);

Millis round_up(MonoTime::duration duration) {
  return std::chrono::ceil<Millis>(duration);
}

}  // namespace

std::optional<Millis> RateLimit::take(const std::string& key, MonoTime now) {
  if (per_second_ <= 0) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  Bucket& bucket = table_.at(key);
  const double most = per_second_ * 2.0;
  if (bucket.left < 0) {
    bucket.left = most;
  } else {
    const std::chrono::duration<double> passed = now - bucket.at;
    bucket.left = std::min(most, bucket.left + passed.count() * per_second_);
  }
  bucket.at = now;
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return std::nullopt;
  }
  return round_up(std::chrono::duration_cast<MonoTime::duration>(
      std::chrono::duration<double>((1 - bucket.left) / per_second_)));
}

std::optional<Millis> Lockout::locked(const std::string& key, MonoTime now) {
  const std::scoped_lock lock(mutex_);
  const Record* record = table_.find(key);
  if (record == nullptr || now >= record->until) return std::nullopt;
  return round_up(record->until - now);
}

void Lockout::failed(const std::string& key, MonoTime now) {
  const std::scoped_lock lock(mutex_);
  Record& record = table_.at(key);
  if (now - record.last > kForgottenAfter) record.failures = 0;
  record.last = now;
  const int beyond = ++record.failures - free_failures_;
  if (beyond <= 0) return;
  const Millis pause = std::min(kLongest, Millis(1000) * (1 << std::min(beyond - 1, 16)));
  record.until = now + pause;
}

void Lockout::succeeded(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  table_.erase(key);
}

std::optional<int64_t> RefusalSample::take(const std::string& key, MonoTime now) {
  const std::scoped_lock lock(mutex_);
  Count& count = table_.at(key);
  if (count.seen == 0 || now - count.first > kForgottenAfter) count = {.seen = 0, .first = now};
  const auto seen = static_cast<uint64_t>(++count.seen);
  if (!std::has_single_bit(seen)) return std::nullopt;
  if (now - minute_ >= std::chrono::minutes(1)) {
    minute_ = now;
    written_ = 0;
  }
  if (written_ >= kMostPerMinute) return std::nullopt;
  ++written_;
  return count.seen;
}

}  // namespace wave::server::access
