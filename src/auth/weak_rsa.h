// RSA keys of a faulty library (ROCA, CVE-2017-15361).
#pragma once

#include <openssl/bn.h>

namespace wave::auth {

/// Whether the modulus has the fingerprint of Infineon's RSALib: for each of some small primes its
/// remainder is a power of 65537. A sound modulus has it with a probability of less than 2^-27.
bool is_weak_rsa(const BIGNUM* modulus);

}  // namespace wave::auth
