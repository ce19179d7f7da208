// Chance from a seed: the same seed gives the same run, on any machine.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/id.h"

namespace wave::sim {

/// SplitMix64 (Steele, Lea, Flood 2014): small, good enough, and the same everywhere.
class SimRandom final : public Random {
 public:
  explicit SimRandom(uint64_t seed) : state_(seed) {}

  uint64_t next() override {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// 0 ... bound - 1.
  uint64_t below(uint64_t bound) { return next() % bound; }
  bool chance(int percent) { return below(100) < static_cast<uint64_t>(percent); }

 private:
  uint64_t state_;
};

/// A number that depends on the seed and a name only: what a process does must not depend on when
/// it is asked.
inline uint64_t draw(uint64_t seed, std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325ULL ^ seed;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return SimRandom(hash).next();
}

}  // namespace wave::sim
