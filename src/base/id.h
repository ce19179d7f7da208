// Identifiers and randomness.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace wave {

/// Where random bits come from; replaced in simulation. Thread: any.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t next() = 0;
};

/// getrandom(2).
class SystemRandom final : public Random {
 public:
  uint64_t next() override;
};

/// `count` (at most 12) digits of Crockford base32 in lower case.
std::string random_base32(Random& random, int count);
/// `<pipeline, at most 60 bytes>-YYYYMMDD-HHMMSS-<10 base32>`, UTC: opaque, unique, valid as a file
/// name and as a git ref component. Bytes of the name that are not valid there become '-'.
std::string make_run_id(std::string_view pipeline, WallTime now, Random& random);
/// A UUID version 4, as agents' command lines want for session ids.
std::string make_uuid(Random& random);
/// /proc/sys/kernel/random/boot_id: tells processes of this boot from those before it.
std::string boot_id();

}  // namespace wave
