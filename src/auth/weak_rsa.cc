#include "auth/weak_rsa.h"

#include <array>

namespace wave::auth {
namespace {

constexpr std::array<unsigned, 17> kPrimes{11, 13, 17,  19,  37,  53,  61,  71, 73,
                                           79, 97, 103, 107, 109, 127, 151, 157};

bool is_power_of_65537(unsigned long remainder, unsigned prime) {
  unsigned long power = 1;
  for (unsigned i = 0; i < prime; ++i) {
    if (power == remainder) return true;
    power = power * 65537 % prime;
  }
  return false;
}

}  // namespace

bool is_weak_rsa(const BIGNUM* modulus) {
  for (const unsigned prime : kPrimes) {
    if (!is_power_of_65537(BN_mod_word(modulus, prime), prime)) return false;
  }
  return true;
}

}  // namespace wave::auth
