#include "base/id.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <cstdlib>

#include "base/file.h"
#include "base/text.h"

namespace wave {

uint64_t SystemRandom::next() {
  uint64_t bits = 0;
  // At most 256 bytes never block or come short once the pool is ready (getrandom(2)).
  if (::getrandom(&bits, sizeof bits, 0) != sizeof bits) std::abort();
  return bits;
}

std::string random_base32(Random& random, int count) {
  constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
  uint64_t bits = random.next();
  std::string text;
  for (int i = 0; i < count; ++i, bits >>= 5) text += kDigits[bits & 31];
  return text;
}

std::string make_run_id(std::string_view pipeline, WallTime now, Random& random) {
  std::string name(utf8_prefix(pipeline, 60));
  for (char& c : name) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-';
    if (!safe) c = '-';
  }
  if (name.empty() || name.front() == '-') name = "run" + name;
  const std::string time = format_time(now);  // 2026-11-23T17:48:08.123Z
  return fmt::format("{}-{}{}{}-{}{}{}-{}", name, time.substr(0, 4), time.substr(5, 2),
                     time.substr(8, 2), time.substr(11, 2), time.substr(14, 2), time.substr(17, 2),
                     random_base32(random, 10));
}

std::string make_uuid(Random& random) {
  const uint64_t high = (random.next() & ~0xF000ULL) | 0x4000ULL;
  const uint64_t low = (random.next() & ~(0xC000ULL << 48)) | (0x8000ULL << 48);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFFULL);
}

std::string boot_id() {
  // Asked for with every process that is looked for; it lasts as long as the machine runs.
  static const std::string id = [] {
    const auto text = read_file("/proc/sys/kernel/random/boot_id", 64);
    return text ? std::string(trim(*text)) : std::string();
  }();
  return id;
}

}  // namespace wave
